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
import { codecTable } from './codec/table.ts'
import { pathTable } from './datapath/table.ts'
import { agentTable } from './parts/agent.ts'
import { hasEsp, lacksNamespaces, outputInMachine } from './support/machine.ts'
import { type Row, table } from './support/table.ts'

type Measure = (rounds: number) => Row[]

/** A part, and how its results are shown. */
interface Part {
  readonly show: (results: never[]) => string
  readonly load: () => Promise<(rounds: number, seconds: number) => unknown[] | Promise<unknown[]>>
}

const times = { show: table }

/** The parts, each loaded only when it runs. */
const PARTS: Readonly<Record<string, Part>> = {
  policies: { ...times, load: async () => (await import('./parts/policies.ts')).policies },
  keys: { ...times, load: async () => keysWhereEspIs((await import('./parts/keys.ts')).keys) },
  list: { ...times, load: async () => (await import('./parts/list.ts')).list },
  replace: { ...times, load: async () => (await import('./parts/replace.ts')).replace },
  reconcile: { ...times, load: async () => (await import('./parts/reconcile.ts')).reconcile },
  start: { ...times, load: async () => (await import('./parts/start.ts')).start },
  growth: { ...times, load: async () => (await import('./parts/growth.ts')).growth },
  agent: { show: agentTable, load: async () => (await import('./parts/agent.ts')).agent },
  codec: { show: codecTable, load: async () => (await import('./parts/codec.ts')).codec },
  datapath: { show: pathTable, load: async () => (await import('./parts/datapath.ts')).datapath },
}

/** The parts that a user without privileges can run. */
const UNPRIVILEGED: ReadonlySet<string> = new Set(['start', 'codec'])

function keysWhereEspIs(measureHere: Measure): Measure {
  if (hasEsp()) return measureHere
  return (rounds) => {
    const self = fileURLToPath(import.meta.url)
    const rows = JSON.parse(outputInMachine(self, 'keys', '--json', '--rounds', String(rounds))) as Row[]
    return rows.map((row) => ({ ...row, what: `${row.what}, in the VM` }))
  }
}

async function resultsOf(name: string, { load }: Part): Promise<unknown[]> {
  if (!UNPRIVILEGED.has(name) && lacking !== undefined) {
    process.stderr.write(`${name}: skipped: ${lacking}\n`)
    return []
  }
  process.stderr.write(`${name} …\n`)
  try {
    return await (await load())(rounds, seconds)
  } catch (error) {
    process.stderr.write(`${name}: failed: ${(error as Error).message}\n`)
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
/** What is shown in one table, by how it is shown. */
const results = new Map<Part['show'], unknown[]>()
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const part = PARTS[name]
  if (!part) throw new TypeError(`no part '${name}'; there are ${Object.keys(PARTS).join(', ')}`)
  const found = await resultsOf(name, part)
  if (found.length > 0) results.set(part.show, [...(results.get(part.show) ?? []), ...found])
}
if (values.json) process.stdout.write(JSON.stringify([...results.values()].flat()))
else {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Linux ${release()}, Node ${process.version}`
  process.stdout.write(`${machine}; median of ${rounds} runs, in turns with what they are held against\n`)
  for (const [show, rows] of results) process.stdout.write(show(rows as never[]))
}
