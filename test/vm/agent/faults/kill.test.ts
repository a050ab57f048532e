/**
 * `kill -9` of commands and of the agent at random moments of a change. `SOLIPSEC_FUZZ=N` has each of them die 200 times, with
 * 5,000 rules.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AgentProcess } from '../../../support/agent-process.ts'
import { ownState } from '../../../support/own-state.ts'
import { hasTrace, secretFile, trace, Victim } from './victim.ts'
import { FaultWorld, isFull, type Target } from './world.ts'

t.setTimeout(0)
ownState(t)
const RULES = isFull ? 5000 : 60
const RUNS = isFull ? 200 : 3
const AGENT_RUNS = isFull ? 200 : 2
/** Those that end before they are killed do not count: so many for each that does. After each of them, the next dies sooner. */
const PATIENCE = isFull ? 6 : 10
const world = await FaultWorld.make(t, RULES)
const { left, generations } = world
const folder = mkdtempSync(join(tmpdir(), 'solipsec-kill-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const policies = [0, 1, 2].map((n) => secretFile(folder, `policy${n}`, generations.policyText(n)))
const keys = [0, 1, 2].map((n) => secretFile(folder, `keys${n}`, `flush\n${generations.keyText(n)}`))
const added = [0, 1, 2].map((n) => secretFile(folder, `added${n}`, generations.keyText(n)))
const documents = ([0, 1, 2] as const).map((n) =>
  secretFile(
    folder,
    `document${n}.json`,
    JSON.stringify({ policies: { file: policies[n] }, associations: { file: added[n] } }),
  ),
)

const at = (list: readonly string[], n: number): string => list[n] ?? ''
/** The commands that make the change; the last argument says to what. */
const commands: readonly ((present: Target) => readonly [argv: readonly string[], to: Target])[] = [
  ({ rules, sas }) => {
    const next = rules === 1 ? 2 : 1
    return [['ipsecconf', '-q', '-Fa', at(policies, next)], { rules: next, sas }]
  },
  ({ rules, sas }) => {
    const next = sas === 1 ? 2 : 1
    return [['ipseckey', '-f', at(keys, next)], { rules, sas: next }]
  },
  ({ rules }) => {
    const next = rules === 1 ? 2 : 1
    return [['solipsec', 'apply', at(documents, next)], { rules: next, sas: next }]
  },
  ({ sas }) => [['ipsecconf', '-F'], { rules: 0, sas }],
  ({ rules }) => [['ipseckey', 'flush'], { rules, sas: 0 }],
]

/** Sees to it that there is something to lose. */
function refill(present: Target): Target {
  const full: Target = { rules: present.rules || 1, sas: present.sas || 1 }
  if (full.rules !== present.rules || full.sas !== present.sas) world.change(present, full)
  return full
}

let present: Target = { rules: 0, sas: 0 }
/** `solipsec apply`, which does the most. */
const LONGEST = 2
/** How long each of the commands is at work, in milliseconds: the moments of death are spread over it. */
const lengths: number[] = []
/** Of those that were not timed, the longest counts. */
const lengthOf = (n: number): number => lengths[n] ?? lengths[LONGEST] ?? 0

t.test('how long they take', async (t) => {
  for (const [i, command] of commands.entries()) {
    if (!isFull && i !== LONGEST) continue
    present = refill(present)
    const [argv, to] = command(present)
    const victim = new Victim(left, argv)
    lengths[i] = await victim.timeAtWork(left.folder)
    t.match(await victim.end, { code: 0 }, argv.slice(0, 2).join(' '))
    present = to
  }
  const rounded = lengths.flatMap((length) => [Math.round(length)])
  t.comment(`at work for ${rounded.join(', ')} ms`)
})

/** A command that only looks begins on what another one has left. */
async function lookAround(t: Test): Promise<void> {
  t.match(await new Victim(left, ['ipsecconf', '-l', '-n']).end, { code: 0 })
}

/** An agent that is to change nothing begins on what another one has left. */
async function guard(t: Test): Promise<void> {
  const file = secretFile(folder, 'nothing.json', '{}')
  const agent = await AgentProcess.start(t, left, '--config', file)
  t.match(await agent.settle(), { state: 'online', drifts: 0 })
  t.equal(await agent.stop(), 0)
}

/** What takes back what was left behind: every second time, this test itself, which is much faster than a process. */
const successors = [lookAround, undefined, guard, undefined]

t.test('commands are killed', async (t) => {
  let [killed, mixtures, run, succeeded, missed] = [0, 0, 0, 0, 0]
  for (; killed < RUNS && run < RUNS * PATIENCE; run++) {
    present = refill(present)
    const n = run % commands.length
    const [argv, to] = commands[n]?.(present) ?? [[], present]
    const before = world.picture()
    const victim = new Victim(left, argv)
    await victim.killAtWork(left.folder, (Math.random() * lengthOf(n)) / 2 ** missed)
    const isTorn = hasTrace(left.folder)
    missed = isTorn ? 0 : missed + 1
    if (isTorn && world.picture() !== before) mixtures++
    t.same(world.leaks(present, to, true), [], `run ${run}: nothing passes in clear`)
    const successor = isTorn ? successors[killed++ % successors.length] : undefined
    if (successor) {
      await successor(t)
      succeeded++
      t.same(world.leaks(present, to, true), [], `run ${run}: nor after the next one has begun`)
    }
    const end = successor ? world.ended(present, to, before, true) : world.heal(present, to, before, true)
    if (end === 'new') present = to
  }
  t.equal(killed, RUNS, 'so many died at work')
  t.ok(succeeded >= RUNS / 2, 'the next process has taken every second one back')
  if (isFull) t.ok(mixtures > RUNS / 10, 'many after the kernel had heard of the change')
  t.comment(`${killed} of ${run} died at work, ${mixtures} of them after the kernel had heard of the change`)
})

/** Starts the agent on what the last one has left, and sees to it that it gets where that one was to get. */
async function restart(t: Test, file: string, to: Target): Promise<void> {
  const agent = await AgentProcess.start(t, left, '--config', file)
  t.same(world.traces(), [], 'the next agent leaves no traces')
  t.same(world.leaks(to, to, true), [], 'nor passes anything in clear')
  t.match(await agent.settle(), { state: 'online', drifts: 0, rules: generations.rules(to.rules).length })
  t.equal(await agent.stop(), 0)
  t.ok(world.isAt(to), 'it is what the configuration says')
}

t.test('the agent is killed while it loads, and is started again', async (t) => {
  let [killed, mixtures, run, succeeded, missed] = [0, 0, 0, 0, 0]
  present = refill(present)
  const file = join(folder, 'agent.json')
  for (; killed < AGENT_RUNS && run < AGENT_RUNS * PATIENCE; run++) {
    const next = present.rules === 1 ? 2 : 1
    const to: Target = { rules: next, sas: next }
    const document = { policies: { file: policies[next] }, associations: { file: added[next] } }
    writeFileSync(file, JSON.stringify(document), { mode: 0o600 })
    const before = world.picture()
    // It loads the same as `solipsec apply` does.
    const wait = (Math.random() * lengthOf(LONGEST)) / 2 ** missed
    if (run % 2 === 1) {
      writeFileSync(file, JSON.stringify({}), { mode: 0o600 })
      const agent = await AgentProcess.start(t, left, '--config', file)
      writeFileSync(file, JSON.stringify(document), { mode: 0o600 })
      const begun = trace(left.folder, () => true)
      agent.signal('SIGHUP')
      await begun
      await sleep(wait)
      await agent.stop('SIGKILL')
    } else {
      const victim = new Victim(left, ['solipsec', 'agent', '--config', file])
      await victim.killAtWork(left.folder, wait)
    }
    const isTorn = hasTrace(left.folder)
    missed = isTorn ? 0 : missed + 1
    if (isTorn && world.picture() !== before) mixtures++
    t.same(world.leaks(present, to, true), [], `run ${run}: nothing passes in clear`)
    // Not every second one: that would always be one of those that were killed at their start.
    const isRestarted = isTorn && (killed + (killed >> 1)) % 2 === 0
    if (isTorn) killed++
    if (isRestarted) {
      await restart(t, file, to)
      succeeded++
      present = to
    } else if (world.heal(present, to, before, true) === 'new') present = to
  }
  t.equal(killed, AGENT_RUNS, 'so many died at work')
  t.ok(succeeded >= AGENT_RUNS / 2, 'the next agent has found every second one')
  if (isFull) t.ok(mixtures > AGENT_RUNS / 10, 'many after the kernel had heard of the change')
  t.comment(`${killed} of ${run} died at work, ${mixtures} of them after the kernel had heard of the change`)
})
