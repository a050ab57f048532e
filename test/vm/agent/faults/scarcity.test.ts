/**
 * Too little of something: no space where the state files are, and a lock that several commands want at once.
 * `SOLIPSEC_FUZZ=N` has it done with 5,000 rules.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { RestoreError } from '../../../../agent/reconcile/take-back.ts'
import { explain } from '../../../../compat/commands/support/explain.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { ownState } from '../../../support/own-state.ts'
import { root } from '../../../support/tiers.ts'
import { secretFile } from './victim.ts'
import { FaultWorld, isFull, type Target } from './world.ts'

t.setTimeout(0)
ownState(t)
const RULES = isFull ? 5000 : 60
const folder = mkdtempSync(join(tmpdir(), 'solipsec-scarcity-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** A page of a tmpfs, in bytes; what is there is given away in whole pages. */
const PAGE = 4096
const disk = join(folder, 'run')
const DISK_BYTES = isFull ? 64 * 2 ** 20 : 2 ** 20
execFileSync('mkdir', [disk])
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=755`, 'solipsec-test', disk])
t.teardown(() => execFileSync('umount', ['-l', disk]))
process.env.SOLIPSEC_RUN_DIR = disk
const ballast = join(disk, 'ballast')

/** Leaves just so many pages free. */
function leaveFree(pages: number): void {
  rmSync(ballast, { force: true })
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - pages * PAGE)))
}

const world = await FaultWorld.make(t, RULES)
const states: readonly Target[] = [
  { rules: 1, sas: 1 },
  { rules: 2, sas: 2 },
  { rules: 2, sas: 1 },
  { rules: 1, sas: 2 },
  { rules: 0, sas: 1 },
  { rules: 0, sas: 2 },
  { rules: 1, sas: 0 },
  { rules: 0, sas: 0 },
]
let present: Target = { rules: 0, sas: 0 }

t.test('the disk is full in the middle of a change', async (t) => {
  const RUNS = isFull ? 200 : 24
  let [refused, made, unrestored] = [0, 0, 0]
  /** How much the largest change takes. */
  const most = isFull ? 2000 : 24
  for (let run = 0; run < RUNS; run++) {
    const others = states.filter(({ rules, sas }) => rules !== present.rules || sas !== present.sas)
    const to = others[Math.floor(Math.random() * others.length)] ?? present
    const before = world.picture()
    leaveFree(run % 5 === 0 ? 0 : Math.floor(Math.random() * most))
    let error: unknown
    try {
      world.change(present, to)
    } catch (thrown) {
      error = thrown
    }
    if (error) {
      refused++
      if (error instanceof RestoreError) unrestored++
      t.match(explain(error)?.message, /ENOSPC|No space left/i, 'it says why')
      if (!(error instanceof RestoreError) && world.picture() !== before)
        return t.fail(`run ${run}: a mixture`)
    } else made++
    const isThorough = run % 4 === 0
    t.same(world.leaks(present, to, isThorough), [], `run ${run}: nothing passes in clear`)
    // Still without space: looking is possible, and taking back, too.
    t.equal(world.heal(present, to, before, isThorough), error ? 'old' : 'new', `run ${run}`)
    rmSync(ballast)
    if (!error) present = to
  }
  t.ok(refused > RUNS / 8 && made > RUNS / 8, `${refused} refused, ${made} made`)
  t.comment(`${refused} of ${RUNS} changes were refused, ${made} made, ${unrestored} taken back by the next`)
})

t.test('the agent without space tells so, and protects all the same', async (t) => {
  const file = secretFile(
    folder,
    'agent.json',
    JSON.stringify({
      policies: { file: secretFile(folder, 'policy', world.generations.policyText(1)) },
      associations: { file: secretFile(folder, 'keys', world.generations.keyText(1)) },
    }),
  )
  const agent = await AgentProcess.start(t, world.left, '--config', file)
  const wanted = world.picture()
  leaveFree(0)
  await world.left.host.ip('xfrm policy flush')
  t.match(await agent.event('failed'), { level: 'error', message: /ENOSPC|No space left/i })
  t.equal(world.picture(), wanted, 'what was begun is taken back to what is wanted, which needs no space')
  rmSync(ballast)
  t.match(await agent.settle(), { state: 'online' })
  await world.left.host.ip('xfrm policy flush')
  await agent.event('drift-mended')
  t.equal(world.picture(), wanted)
  t.equal(await agent.stop(), 0)
  present = { rules: 1, sas: 1 }
})

t.test('several commands at once', async (t) => {
  const { generations } = world
  const [policies, keys] = [1, 2].reduce<[string[], string[]]>(
    ([first, second], n) => [
      [...first, secretFile(folder, `policy-${n}`, generations.policyText(n))],
      [...second, secretFile(folder, `keys-${n}`, `flush\n${generations.keyText(n)}`)],
    ],
    [[], []],
  )
  const documents = [1, 2].map((n) =>
    secretFile(
      folder,
      `both-${n}.json`,
      JSON.stringify({
        policies: { file: policies[n - 1] },
        associations: { file: secretFile(folder, `added-${n}`, generations.keyText(n)) },
      }),
    ),
  )
  const lines = [
    ...policies.map((file) => ['ipsecconf', '-q', '-Fa', file]),
    ...keys.map((file) => ['ipseckey', '-f', file]),
    ...documents.map((file) => ['solipsec', 'apply', file]),
    ['ipsecconf', '-F'],
    ['ipseckey', 'flush'],
    ['ipsecconf', '-l', '-n'],
    ['ipseckey', '-pn', 'dump'],
  ]
  const script = join(root, 'dist', 'test', 'vm', 'agent', 'faults', 'contender.js')
  const each = isFull ? 70 : 8
  const contenders = [0, 1, 2].map(() => {
    const argv = [
      script,
      world.left.host.namespace,
      String(each),
      secretFile(folder, 'lines.json', JSON.stringify(lines)),
    ]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    return text(child.stdout)
  })
  let isOver = false
  const outputs = Promise.all(contenders).finally(() => {
    isOver = true
  })
  const targets = [0, 1, 2].flatMap((rules) => [0, 1, 2].map((sas) => ({ rules, sas }) as Target))
  let looks = 0
  while (!isOver) {
    // One that is made while another looks would be a mixture.
    const isWhole = world.inSession((session) => {
      const recorded = session.state.rules.map(({ rule }) => rule.text).join('\n')
      return targets.some(({ rules, sas }) => {
        if (
          recorded !==
          generations
            .rules(rules)
            .map(({ text }) => text)
            .join('\n')
        )
          return false
        const associations = generations.associations(sas)
        return session.planAll({ policy: session.state, associations }).reconciliation.steps.length === 0
      })
    })
    if (!isWhole) return t.fail(`look ${looks}: a mixture`)
    looks++
    await sleep(20)
  }
  let commands = 0
  for (const output of await outputs) {
    const { codes, errors } = JSON.parse(output) as { codes: Record<string, number>; errors: string[] }
    t.same(errors, [])
    commands += codes['0'] ?? 0
  }
  t.equal(commands, 3 * each, 'all came through')
  t.same(world.traces(), [])
  t.comment(`${commands} commands of three processes at once, ${looks} looks in between`)
})
