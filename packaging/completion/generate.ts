/**
 * The completion files of the package.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bashCompletion } from './bash.ts'
import { type CompletedCommand, readCommand } from './model.ts'
import { zshCompletion } from './zsh.ts'

/** Sections of the manual that have commands. */
const PAGE = /^([\w-]+)\.[18]\.md$/

/**
 * @param pages folder of the manual pages' sources
 * @returns texts by their paths below /usr/share
 */
export function completions(pages: string): Readonly<Record<string, string>> {
  const commands = readCommands(pages)
  const bash = bashCompletion(commands)
  const names = commands.map(({ name }) => name).filter((name) => !name.includes(' '))
  return {
    // bash-completion looks for a file of the command's name. It has one of its own for svcadm, which asks svcs.
    ...Object.fromEntries(
      names.filter((name) => name !== 'svcadm').map((name) => [`bash-completion/completions/${name}`, bash]),
    ),
    'zsh/vendor-completions/_solipsec': zshCompletion(commands),
  }
}

/** `solipsec-check.8.md` is the page of `solipsec check`. */
function readCommands(pages: string): CompletedCommand[] {
  return readdirSync(pages)
    .sort()
    .flatMap((file) => {
      const name = PAGE.exec(file)?.[1]
      if (name === undefined) return []
      return [readCommand(name.replace(/^solipsec-/, 'solipsec '), readFileSync(join(pages, file), 'utf8'))]
    })
}
