/**
 * The agent when events are lost and when the clock is set: what others take away is put right all the same, and what is
 * there for its time is left its time. 200 runs each.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isOurPolicyIndex, isOurState } from '../../../../agent/reconcile/ownership.ts'
import { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { espSa } from '../../../support/configuration-place.ts'
import { ownState } from '../../../support/own-state.ts'
import { drops, setClock, starve } from './foreign-hands.ts'
import { secretFile } from './victim.ts'
import { FaultWorld, isFull } from './world.ts'

t.setTimeout(0)
ownState(t)
const RUNS = 200
const world = await FaultWorld.make(t, isFull ? 1000 : 20)
const { left, generations } = world
const folder = mkdtempSync(join(tmpdir(), 'solipsec-agent-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const policies = { file: secretFile(folder, 'policy', generations.policyText(1)) }

/** Does something to the kernel's tables as another program would. */
function meddle<T>(use: (connection: XfrmConnection) => T): T {
  return left.visit(() => {
    const connection = XfrmConnection.open()
    try {
      return use(connection)
    } finally {
      connection.close()
    }
  })
}

const any = <T>(list: readonly T[]): T => {
  const one = list[Math.floor(Math.random() * list.length)]
  if (one === undefined) throw new Error('there is none')
  return one
}

const ownStates = (connection: XfrmConnection) =>
  connection.states().filter(({ body }) => isOurState(body.reqid))
const removal = ({ body: { id, family } }: XfrmMessage<'NEWSA'>): XfrmMessage => ({
  name: 'DELSA',
  body: { daddr: id.daddr, spi: id.spi, family, proto: id.proto },
  attributes: {},
})

const deeds: readonly ((connection: XfrmConnection) => XfrmMessage[])[] = [
  (connection) => [removal(any(ownStates(connection)))],
  (connection) => {
    const policy = any(connection.policies().filter(({ body }) => isOurPolicyIndex(body.index)))
    const { sel, index, dir } = policy.body
    return [{ name: 'DELPOLICY', body: { sel, index, dir }, attributes: {} }]
  },
  (connection) => {
    const policy = any(
      connection.policies().filter(({ body }) => isOurPolicyIndex(body.index) && body.dir === 1),
    )
    return [{ ...policy, name: 'UPDPOLICY', body: { ...policy.body, action: 1 } }]
  },
  () => [{ name: 'FLUSHPOLICY', body: {}, attributes: {} }],
  (connection) => ownStates(connection).map(removal),
]

/** SAs of another program that come and go: events that mean nothing. */
function noise(connection: XfrmConnection, count: number): XfrmMessage[] {
  const [{ body, attributes }] = ownStates(connection) as [XfrmMessage<'NEWSA'>]
  const { set_mark: _, set_mark_mask: __, lastused: ___, ...rest } = attributes
  return Array.from({ length: count }, (_, i) => {
    const id = { ...body.id, spi: 0x60000000 + i }
    const message: XfrmMessage<'NEWSA'> = { name: 'NEWSA', body: { ...body, id, reqid: 7 }, attributes: rest }
    return [message, removal(message)]
  }).flat()
}

/** Waits until the tables are right again. @returns milliseconds that it took */
async function mended(wanted: string): Promise<number> {
  const start = performance.now()
  while (world.picture() !== wanted) {
    if (performance.now() - start > 60_000) throw new Error('it was not put right')
    await sleep(5)
  }
  return performance.now() - start
}

t.test('events are lost', async (t) => {
  const associations = { file: secretFile(folder, 'keys', generations.keyText(1)) }
  const file = secretFile(folder, 'agent.json', JSON.stringify({ policies, associations }))
  const agent = await AgentProcess.start(t, left, '--config', file)
  const wanted = world.picture()
  t.ok(starve(agent.pid) >= 3, 'it has no room for events')
  const before = drops(agent.pid)
  const times: number[] = []
  let overruns = 0
  for (let run = 0; run < RUNS; run++) {
    const known = drops(agent.pid)
    meddle((connection) => {
      const loud = noise(connection, 10)
      const deed = deeds[run % deeds.length]?.(connection) ?? []
      const at = Math.floor(Math.random() * loud.length)
      connection.batch([...loud.slice(0, at), ...deed, ...loud.slice(at)])
    })
    if (drops(agent.pid) > known) overruns++
    times.push(await mended(wanted))
  }
  t.ok(overruns > RUNS / 2, `${overruns} of ${RUNS} times events were lost`)
  t.match(await agent.settle(), { state: 'online', associations: generations.associations(1).length })
  t.same(world.traces(), [])
  times.sort((a, b) => a - b)
  const [middle, last] = [times[times.length >> 1] ?? 0, times.at(-1) ?? 0]
  t.comment(
    `lost in ${overruns} of ${RUNS} runs (${drops(agent.pid) - before} events); put right within ${middle.toFixed(0)} ms, at most ${last.toFixed(0)} ms`,
  )
  t.equal(await agent.stop(), 0)
})

const isMachine = process.env.SOLIPSEC_VM === 'guest'
t.test('the clock is set', { skip: !isMachine && 'it is the clock of the whole machine' }, async (t) => {
  const [L, R] = ['10.1.0.1', '10.1.0.2']
  const forever = espSa(0x1000, L, R)
  const idle = espSa(0x1002, L, R, { idle: { addTime: 3600, useTime: 3600 } })
  const used = espSa(0x1004, L, R, { hard: { addTime: 4_000_000_000 } })
  const file = secretFile(
    folder,
    'clock.json',
    JSON.stringify({ policies, associations: [forever, idle, used, espSa(0x1001, R, L)] }),
  )
  const agent = await AgentProcess.start(t, left, '--config', file)
  const wanted = world.picture()
  const [day, epoch] = [86_400_000, performance.timeOrigin]
  t.teardown(() => setClock(epoch + performance.now()))
  for (let run = 0; run < RUNS; run++) {
    const distance = 10 ** (Math.random() * 6 - 3) * day * (Math.random() < 0.5 ? 1 : -1)
    setClock(Math.min(Math.max(Date.now() + distance, day), 60 * 365 * day))
    if (run % 10 === 0) {
      meddle((connection) => connection.send(removal(any(ownStates(connection)))))
      await mended(wanted)
    }
    const status = await agent.settle()
    if (status.associations !== 4) return t.fail(`run ${run}: ${status.associations} SAs are left`)
  }
  t.equal(world.picture(), wanted, 'nothing has gone, for no time has passed')
  const before = agent.processorTime
  await sleep(1000)
  t.ok(agent.processorTime - before < 0.5, 'and no timer runs wild')
  t.equal(await agent.stop(), 0)
})
