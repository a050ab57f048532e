/** A change that breaks off: the process is killed, or the kernel refuses a step. */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import { applySteps } from '../../../../agent/reconcile/engine.ts'
import { replaceRules } from '../../../../agent/reconcile/policy-edit.ts'
import type { PolicyState } from '../../../../agent/reconcile/policy-state.ts'
import { Session } from '../../../../agent/reconcile/session.ts'
import type { Step } from '../../../../agent/reconcile/steps.ts'
import { Store } from '../../../../agent/reconcile/store.ts'
import type { KernelPolicy } from '../../../../agent/translate/kernel-policy.ts'
import { enterNetns } from '../../../../netlink/libc/netns.ts'
import { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import { defaultTemplate } from '../../../../netlink/xfrm/defaults.ts'
import { identityOf } from '../../../agent/reconcile/identity.ts'
import { rulesOf } from '../../../compat/solaris/ipsecconf/support.ts'
import { makePlace, type Place } from '../../../support/ipsecconf-place.ts'
import { skip } from '../../netlink/namespace.ts'

const BIN = fileURLToPath(new URL('../../../../../bin/ipsecconf', import.meta.url))
const COUNT = 2000
const KILLS = 15

/** Rules of which each second one stays the same from one generation to the next. */
function policyText(generation: number, count = COUNT): string {
  const rules = Array.from({ length: count }, (_, i) => {
    const remote = `10.${i % 2 === 0 ? 0 : generation}.${i >> 8}.${i & 255}`
    return `{raddr ${remote} ulp tcp rport ${1000 + generation * (i % 2)}} ipsec {encr_algs aes(256) encr_auth_algs sha256}\n`
  })
  return rules.join('')
}

/** Everything about the policies that a restored set must have in common with the one before. */
function fingerprint({ policies }: Place): string {
  return policies()
    .ours.map(({ body, attributes: { tmpl = [], mark } }) => {
      const { dir, sel, priority, action } = body
      const templates = tmpl.map((one) => `${one.id.proto} ${one.reqid} ${one.mode} ${one.optional}`)
      const identity = identityOf({ dir: dir as KernelPolicy['dir'], sel, ...(mark && { mark }) })
      return `${identity} ${priority} ${action} ${templates.join()}`
    })
    .sort()
    .join('\n')
}

t.test(
  'killed at any moment of a replace: the next command finds the old or the new set',
  { skip },
  async (t) => {
    const place = makePlace(t)
    const texts = [1, 2].map((generation) => policyText(generation))
    const files = texts.map((text, i) => place.file(`policy${i}`, text))
    const sets: string[] = []
    for (const file of files) {
      await place.ok(`-q -Fa ${file}`)
      sets.push(fingerprint(place))
    }
    let current = 1
    let broken = 0
    for (let i = 0; i < KILLS; i++) {
      await killAtWork(place, ['-q', '-Fa', files[1 - current] ?? ''])
      if (!sets.includes(fingerprint(place))) broken++
      const shown = await place.ok('')
      current = sets.indexOf(fingerprint(place))
      if (current < 0) return t.fail(`neither the old nor the new set after kill ${i}`)
      t.equal(shown.includes(' rport 1001}'), current === 0, 'the record is that of the set in force')
    }
    t.comment(`${broken} of ${KILLS} kills left a mixture, which the next command took back`)
    t.same(pending(place), [], 'no trace is left')
    await place.ok('-q -F')
    t.same(place.policies().ours, [])
  },
)

/** Starts a command, and kills it some time after it has announced its change; it may come to its end. */
async function killAtWork(place: Place, argv: string[]): Promise<void> {
  const child = spawn(BIN, ['--netns', place.netns, ...argv], { env: place.environment, stdio: 'ignore' })
  let running = true
  const ended = once(child, 'exit').then(() => {
    running = false
  })
  while (running && pending(place).length === 0) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, randomInt(60)))
  child.kill('SIGKILL')
  await ended
}

function pending({ runDir }: Place): string[] {
  return readdirSync(runDir)
    .flatMap((folder) => readdirSync(join(runDir, folder)))
    .filter((name) => name.includes('pending'))
}

t.test('broken off in the middle for certain: the next command takes it back', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok(`-q -Fa ${place.file('old', policyText(1, 500))}`)
  const before = fingerprint(place)
  inPlace(place, (session, connection) => {
    const { next, reconciliation } = session.plan(replacement(session))
    const store = Store.open(place.runDir)
    store.writePendingPolicy(next)
    applySteps(connection, reconciliation.steps.slice(0, reconciliation.steps.length >> 1))
  })
  t.not(fingerprint(place), before, 'a mixture')
  t.equal(pending(place).length, 1)
  await place.ok('-l')
  t.equal(fingerprint(place), before)
  t.same(pending(place), [])
})

t.test('a first load that broke off leaves nothing', { skip }, async (t) => {
  const place = makePlace(t)
  inPlace(place, (session, connection) => {
    const { next, reconciliation } = session.plan(replacement(session))
    Store.open(place.runDir).writePendingPolicy(next)
    applySteps(connection, reconciliation.steps.slice(0, 300))
  })
  t.equal(place.policies().ours.length, 300)
  t.equal(await place.ok(''), '')
  t.same(place.policies().ours, [])
})

t.test('a step that the kernel refuses: everything is as before', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok(`-q -Fa ${place.file('old', policyText(1, 500))}`)
  const before = fingerprint(place)
  for (const at of [0, 200, 777]) {
    inPlace(place, (session) => {
      const change = session.plan(replacement(session))
      const { steps } = change.reconciliation
      const [add] = steps
      if (add?.kind !== 'add') throw new Error('the first step adds a policy')
      // Seven templates are more than the kernel takes.
      const tmpl = Array.from({ length: 7 }, () => defaultTemplate())
      const refused: Step = { ...add, policy: { ...add.policy, tmpl } }
      const spoilt = { ...change.reconciliation, steps: [...steps.slice(0, at), refused, ...steps.slice(at)] }
      t.throws(() => session.apply({ ...change, reconciliation: spoilt }), { name: 'ApplyError' })
    })
    t.equal(fingerprint(place), before, `step ${at}`)
    t.same(pending(place), [])
  }
})

t.test('a policy of another program comes in between: everything is as before', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok(`-q -Fa ${place.file('old', policyText(1, 500))}`)
  const before = fingerprint(place)
  inPlace(place, (session) => {
    const change = session.plan(replacement(session))
    place.ip('xfrm policy add src 0.0.0.0/0 dst 10.2.0.251/32 proto tcp dport 1002 dir out priority 9')
    t.throws(() => session.apply(change), { name: 'ApplyError', cause: { errnoName: 'EEXIST' } })
  })
  t.equal(fingerprint(place), before)
  t.equal(place.policies().foreign.length, 1)
  t.same(pending(place), [])
})

t.test('one changed rule of a thousand: the others are not touched', { skip }, async (t) => {
  const place = makePlace(t)
  const text = policyText(1, 1000)
  await place.ok(`-q -Fa ${place.file('old', text)}`)
  const events = spawn('ip', ['-n', place.netns, 'xfrm', 'monitor', 'policy'])
  t.teardown(() => events.kill())
  const seen: string[] = []
  events.stdout.on('data', (data) => seen.push(String(data)))
  await untilListening(place, seen)
  const changed = text.replace('rport 1001}', 'rport 4711}')
  await place.ok(`-q -Fa ${place.file('new', changed)}`)
  await until(() => seen.join('').split('dport 1001').length > 1)
  const log = seen.join('')
  const touched = [...log.matchAll(/(?:src|dst) 10\.\S+/g)].map(([match]) => match.split(' ')[1])
  t.same([...new Set(touched)], ['10.1.0.1/32'], 'the one rule alone')
  t.equal(touched.length, 4, 'out and in, old and new')
})

/** Waits until the monitor tells of a change that is made for it. */
async function untilListening(place: Place, seen: string[]): Promise<void> {
  await until(() => {
    place.ip('xfrm policy add src 192.0.2.77 dst 192.0.2.78 dir out')
    place.ip('xfrm policy delete src 192.0.2.77 dst 192.0.2.78 dir out')
    return seen.length > 0
  })
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('it did not happen')
}

function replacement(session: Session): PolicyState {
  return replaceRules(session.state, rulesOf(policyText(2, 500)), { kind: 'all' })
}

/** Does something with the library in the namespace and with the state files of a place. */
function inPlace(place: Place, use: (session: Session, connection: XfrmConnection) => void): void {
  enterNetns(place.netns)
  process.env.SOLIPSEC_RUN_DIR = place.runDir
  const session = Session.open(defaultAlgorithmTable)
  const connection = XfrmConnection.open()
  try {
    use(session, connection)
  } finally {
    connection.close()
    session.close()
  }
}
