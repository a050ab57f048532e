import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import type { StatusEvent } from '../../../../../agent/status/events.ts'
import { AgentEvents } from '../../../../../compat/commands/solipsec/monitor/agent-events.ts'

t.test('what SAs tell by themselves is not told by the agent as well', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-events-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'control')
  const server = createServer((socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      const { id } = JSON.parse(line) as { id: number }
      const events = ['association-soft', 'drift-mended'].map((event) => ({
        jsonrpc: '2.0',
        method: 'agent.event',
        params: { time: 1000, level: 'warning', event, message: `${event}.` },
      }))
      for (const one of [{ jsonrpc: '2.0', id, result: true }, ...events]) {
        socket.write(`${JSON.stringify(one)}\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const told: StatusEvent[] = []
  await new Promise<void>((resolve) => {
    const events = new AgentEvents(path, (event) => {
      told.push(event)
      events.close()
      resolve()
    })
  })
  server.close()
  t.same(told, [
    {
      time: 1,
      event: 'agent',
      name: 'drift-mended',
      level: 'warning',
      message: 'drift-mended.',
      details: {},
    },
  ])
})
