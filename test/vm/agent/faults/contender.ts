/**
 * A process that runs one command after the other, as fast as it can: `contender.js NAMESPACE COUNT FILE` with command lines
 * in JSON, of which it takes any. Prints how often each exit code came, as JSON.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { run as runIpsecconf } from '../../../../compat/commands/ipsecconf.ts'
import { run as runIpseckey } from '../../../../compat/commands/ipseckey.ts'
import { run as runSolipsec } from '../../../../compat/commands/solipsec.ts'
import { captureIo } from '../../../compat/commands/support/capture-io.ts'

const [netns = '', count = '', file = ''] = process.argv.slice(2)
const lines = JSON.parse(readFileSync(file, 'utf8')) as string[][]
const codes: Record<string, number> = {}
const errors: string[] = []
for (let i = 0; i < Number(count); i++) {
  const [command, ...argv] = lines[Math.floor(Math.random() * lines.length)] ?? []
  const io = captureIo()
  const [first = '', ...rest] = argv
  const code =
    command === 'solipsec'
      ? await runSolipsec([first, '--netns', netns, ...rest], io)
      : await (command === 'ipsecconf' ? runIpsecconf : runIpseckey)(['--netns', netns, ...argv], io)
  codes[code] = (codes[code] ?? 0) + 1
  if (code !== 0) errors.push(`${command} ${argv.join(' ')}: ${io.err()}`)
}
process.stdout.write(JSON.stringify({ codes, errors: [...new Set(errors)] }))
