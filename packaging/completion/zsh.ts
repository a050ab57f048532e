/**
 * Completion for zsh(1), one file for all commands. Pure.
 *
 * @module
 */
import { type ArgumentKind, CHOICES, type CompletedCommand, type Word } from './model.ts'

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the shell's own
const ACTIONS: Readonly<Record<ArgumentKind, string>> = {
  file: ':file:_files',
  service: `:service:(${CHOICES.service})`,
  netns: ':network namespace:(${(f)"$(ip netns list 2>/dev/null | cut -d" " -f1)"})',
  datapath: `:data path:(${CHOICES.datapath})`,
  column: `:column:(${CHOICES.column})`,
  other: ':argument: ',
}
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the shell's own

/** @returns the file's text */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).filter((name) => !name.includes(' '))
  return `#compdef ${names.join(' ')}
# Completion of solipsec's commands for zsh, made from their manual pages.

_solipsec() {
  local command=$service
  if [[ $command == solipsec && CURRENT -gt 2 && $words[2] != -* ]]; then
    command="solipsec $words[2]"
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${commands.map(branch).join('')}  esac
}

_solipsec "$@"
`
}

function branch({ name, options, words, operand }: CompletedCommand): string {
  const specs = options.map((option) => {
    const argument = option.argument ? ACTIONS[option.argument] : ''
    return quoted(`*${option.name}[${escaped(option.text)}]${argument}`)
  })
  const rest = operand ? [quoted(`*${ACTIONS[operand]}`)] : []
  const first = words.length > 0 ? [quoted(`1:command:((${words.map(alternative).join(' ')}))`)] : []
  const lines = [...specs, ...first, ...rest].map((spec) => ` \\\n        ${spec}`)
  return `    ${quoted(name)})\n      _arguments -s${lines.join('')}\n      ;;\n`
}

/** `name\:description`, as `((…))` of _arguments takes it. */
function alternative({ name, text }: Word): string {
  return `${name}\\:${`"${text.replace(/["\\$`:]/g, '')}"`}`
}

function escaped(text: string): string {
  return text.replace(/[[\]\\:]/g, '\\$&')
}

/** A word of the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
