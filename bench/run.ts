/**
 * `npm run bench`: how fast solipsec is, as a table. `npm run bench -- policies` measures one part of it, and
 * `--rounds N` takes the median of N runs instead of 5. `--seconds N` is how long `datapath` measures each throughput,
 * instead of 5. `--json` gives the results as they are.
 *
 * @module
 */
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type PathRow, pathTable } from './datapath/table.ts'
import { hasEsp, lacksNamespaces, outputInMachine } from './support/machine.ts'
import { type Row, table } from './support/table.ts'

type Measure = (rounds: number) => Row[]
type Result = Row | PathRow
type Part = (rounds: number, seconds: number) => Result[] | Promise<Result[]>

/** The parts, each loaded only when it runs. */
const PARTS: Readonly<Record<string, () => Promise<Part>>> = {
  policies: async () => (await import('./parts/policies.ts')).policies,
  keys: async () => keysWhereEspIs((await import('./parts/keys.ts')).keys),
  list: async () => (await import('./parts/list.ts')).list,
  replace: async () => (await import('./parts/replace.ts')).replace,
  start: async () => (await import('./parts/start.ts')).start,
  growth: async () => (await import('./parts/growth.ts')).growth,
  datapath: async () => (await import('./parts/datapath.ts')).datapath,
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

async function resultsOf(part: string): Promise<Result[]> {
  const load = PARTS[part]
  if (!load) throw new TypeError(`no part '${part}'; there are ${Object.keys(PARTS).join(', ')}`)
  if (part !== UNPRIVILEGED && lacking !== undefined) {
    process.stderr.write(`${part}: skipped: ${lacking}\n`)
    return []
  }
  process.stderr.write(`${part} …\n`)
  try {
    return await (await load())(rounds, seconds)
  } catch (error) {
    process.stderr.write(`${part}: failed: ${(error as Error).message}\n`)
    process.exitCode = 1
    return []
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
const lacking = lacksNamespaces()
const results: Result[] = []
for (const part of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  results.push(...(await resultsOf(part)))
}
if (values.json) process.stdout.write(JSON.stringify(results))
else {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Linux ${release()}, Node ${process.version}`
  process.stdout.write(`${machine}; median of ${rounds} runs, in turns with what they are held against\n`)
  const paths = results.filter((result) => 'results' in result)
  const rows = results.filter((result) => 'ours' in result)
  if (rows.length > 0) process.stdout.write(table(rows))
  if (paths.length > 0) process.stdout.write(pathTable(paths))
}
