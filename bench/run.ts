/**
 * `npm run bench`: how fast solipsec is, as a table. `npm run bench -- policies` measures one part of it, and
 * `--rounds N` takes the median of N runs instead of 5.
 *
 * @module
 */
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hasEsp, lacksNamespaces, outputInMachine } from './support/machine.ts'
import { type Row, table } from './support/table.ts'

type Measure = (rounds: number) => Row[]

/** The parts, each loaded only when it runs. */
const PARTS: Readonly<Record<string, () => Promise<Measure>>> = {
  policies: async () => (await import('./parts/policies.ts')).policies,
  keys: async () => keysWhereEspIs((await import('./parts/keys.ts')).keys),
  list: async () => (await import('./parts/list.ts')).list,
  replace: async () => (await import('./parts/replace.ts')).replace,
  start: async () => (await import('./parts/start.ts')).start,
  growth: async () => (await import('./parts/growth.ts')).growth,
}

/** The only part that a user without privileges can run. */
const UNPRIVILEGED = 'start'

function keysWhereEspIs(measureHere: Measure): Measure {
  if (hasEsp()) return measureHere
  return (rounds) => {
    const self = fileURLToPath(import.meta.url)
    const rows = JSON.parse(outputInMachine(self, 'keys', '--json', '--rounds', String(rounds))) as Row[]
    return rows.map((row) => ({ ...row, what: `${row.what}, in the VM` }))
  }
}

async function rowsOf(part: string, rounds: number, lacking: string | undefined): Promise<Row[]> {
  const load = PARTS[part]
  if (!load) throw new TypeError(`no part '${part}'; there are ${Object.keys(PARTS).join(', ')}`)
  if (part !== UNPRIVILEGED && lacking !== undefined) {
    process.stderr.write(`${part}: skipped: ${lacking}\n`)
    return []
  }
  process.stderr.write(`${part} …\n`)
  try {
    return (await load())(rounds)
  } catch (error) {
    process.stderr.write(`${part}: failed: ${(error as Error).message}\n`)
    process.exitCode = 1
    return []
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
const lacking = lacksNamespaces()
const rows: Row[] = []
for (const part of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  rows.push(...(await rowsOf(part, rounds, lacking)))
}
if (values.json) process.stdout.write(JSON.stringify(rows))
else {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Linux ${release()}, Node ${process.version}`
  process.stdout.write(`${machine}; median of ${rounds} runs, in turns with what they are held against\n`)
  process.stdout.write(table(rows))
}
