/**
 * The agent when events are lost and when the clock is set: what others take away is put right all the same, and what is
 * there for its time is left its time. `SOLIPSEC_FUZZ=N` has it done 200 times each, with 1,000 rules.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
import { root } from '../../../support/tiers.ts'
import { keyOf } from '../../support/keys.ts'
import { drops, setClock, starve } from './foreign-hands.ts'
import { secretFile } from './victim.ts'
import { FIRST } from './walk.ts'
import { FaultWorld, isFull, type Target } from './world.ts'

t.setTimeout(0)
ownState(t)
const RUNS = isFull ? 200 : 20
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
async function mended(agent: AgentProcess, wanted: string): Promise<number> {
  const start = performance.now()
  for (let found = world.picture(); found !== wanted; found = world.picture()) {
    if (performance.now() - start > 60_000) {
      const told = agent.err.slice(-4000)
      throw new Error(`it was not put right: ${difference(wanted, found)}\n${told}`)
    }
    await sleep(5)
  }
  return performance.now() - start
}

/** Keys are shown: they are those of tests. */
function difference(wanted: string, found: string): string {
  const [left, right] = [wanted.split('\n'), found.split('\n')]
  return [
    ...left.filter((line) => !right.includes(line)).map((line) => `- ${line}`),
    ...right.filter((line) => !left.includes(line)).map((line) => `+ ${line}`),
  ].join('\n')
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
    times.push(await mended(agent, wanted))
    const leaks = world.leaks(FIRST, FIRST, true)
    if (leaks.length > 0) t.same(leaks, [], `run ${run}: nothing passes in clear`)
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
  /** Nothing for what passes in clear where there are none. */
  const FEW_SAS: Target = { rules: 1, sas: 0 }
  const agent = await AgentProcess.start(t, left, '--config', file)
  const wanted = world.picture()
  const [day, epoch] = [86_400_000, performance.timeOrigin]
  t.teardown(() => setClock(epoch + performance.now()))
  for (let run = 0; run < RUNS; run++) {
    const distance = 10 ** (Math.random() * 6 - 3) * day * (Math.random() < 0.5 ? 1 : -1)
    setClock(Math.min(Math.max(Date.now() + distance, day), 60 * 365 * day))
    if (run % 10 === 0) {
      meddle((connection) => connection.send(removal(any(ownStates(connection)))))
      await mended(agent, wanted)
    }
    const status = await agent.settle()
    if (status.associations !== 4) return t.fail(`run ${run}: ${status.associations} SAs are left`)
    if (world.picture() !== wanted) return t.fail(`run ${run}: ${difference(wanted, world.picture())}`)
    const leaks = world.leaks(FEW_SAS, FEW_SAS, true)
    if (leaks.length > 0) t.same(leaks, [], `run ${run}: nothing passes in clear`)
  }
  t.equal(world.picture(), wanted, 'nothing has gone, for no time has passed')
  const before = agent.processorTime
  await sleep(1000)
  t.ok(agent.processorTime - before < 0.5, 'and no timer runs wild')
  t.equal(await agent.stop(), 0)
})

t.test(
  'cores have no keys in them',
  { skip: !isMachine && 'it is the core pattern of the whole machine' },
  async (t) => {
    const pattern = '/proc/sys/kernel/core_pattern'
    const usual = readFileSync(pattern, 'latin1')
    t.teardown(() => writeFileSync(pattern, usual))
    writeFileSync(pattern, join(folder, 'core.%p'))
    const [L, R] = ['10.1.0.1', '10.1.0.2']
    const file = secretFile(
      folder,
      'core.json',
      JSON.stringify({ policies, associations: [espSa(0x1000, L, R)] }),
    )
    const agent = await AgentProcess.start(t, left, '--config', file)
    spawnSync('prlimit', ['--core=unlimited:unlimited', '--pid', String(agent.pid)])
    await agent.stop('SIGABRT')
    t.notOk(existsSync(join(folder, `core.${agent.pid}`)), 'the agent leaves none')

    const command = `ulimit -c unlimited; exec "$0" verify --netns ${left.host.namespace}`
    const verify = spawn('sh', ['-c', command, join(root, 'bin', 'solipsec')], { stdio: 'ignore' })
    const ended = once(verify, 'exit')
    const filter = `/proc/${verify.pid}/coredump_filter`
    while (!/^0+$/.test(readFileSync(filter, 'latin1').trim())) await sleep(50)
    // By then it has read the keys.
    await sleep(isFull ? 20_000 : 8000)
    verify.kill('SIGABRT')
    await ended
    // A command leaves one where the system has it so, but of registers alone.
    const cores = readdirSync(folder).filter((name) => /^core\.\d/.test(name))
    const keys = [keyOf(0x1000, 'cipher', 128), keyOf(0x1000, 'integrity', 256)]
    for (const name of cores) {
      const core = readFileSync(join(folder, name))
      t.notOk(
        keys.some((key) => core.includes(key)),
        `${core.length} bytes of ${name}`,
      )
    }
    await world.left.policy('')
    await world.left.ipseckey(['flush'])
  },
)
