/** Configurations as a whole, on the software data path: planned, compared, applied, broken off. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { connectDataPath } from '../../../../../agent/datapath/data-path.ts'
import { tryTunnel } from '../../../../../agent/doctor/facts/tunnels.ts'
import { defaultAlgorithmTable } from '../../../../../agent/model/default-algorithms.ts'
import { isOurState } from '../../../../../agent/reconcile/ownership.ts'
import { replaceRules } from '../../../../../agent/reconcile/policy-edit.ts'
import { Session } from '../../../../../agent/reconcile/session.ts'
import type { Step } from '../../../../../agent/reconcile/steps.ts'
import type { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import { violations } from '../../../../schemas/support.ts'
import { ConfigurationPlace, espPair, espSa } from '../../../../support/configuration-place.ts'
import { ownState } from '../../../../support/own-state.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { ping } from '../../../../vm/support/traffic.ts'

t.setTimeout(240_000)
ownState(t)
const { left, right } = await softwarePair(t)
const [L, R] = ['10.1.0.1', '10.1.0.2']
const here = new ConfigurationPlace(t, left)
const there = new ConfigurationPlace(t, right)
const BIN = fileURLToPath(new URL('../../../../../../bin/solipsec', import.meta.url))

const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }
const between = (local: string, remote: string) => ({ local, remote, protect: PROTECT })
const BASE = { policies: [between(L, R)], associations: espPair(0x1000, L, R) }
const OTHER = { policies: [between(R, L)], associations: espPair(0x1000, L, R) }

/** Does something with what carries the packets. */
function look<T>(use: (connection: XfrmConnection) => T): T {
  return left.visit(() => {
    const connection = connectDataPath(left.folder)
    try {
      return use(connection)
    } finally {
      connection.close()
    }
  })
}

const states = () => look((connection) => connection.states())

/** Policies and SAs, without counters. */
function picture(): string {
  return look((connection) => [
    ...connection.policies().map(({ body, attributes }) => {
      const { dir, sel, priority, action } = body
      return JSON.stringify([dir, sel, priority, action, attributes.tmpl, attributes.mark])
    }),
    ...connection.states().map(({ body, attributes }) => {
      const { alg_crypt, alg_auth_trunc, set_mark } = attributes
      return JSON.stringify([body.id, body.saddr, body.reqid, alg_crypt, alg_auth_trunc, set_mark])
    }),
  ])
    .sort()
    .join('\n')
}

const pending = () => readdirSync(left.folder).filter((name) => name.includes('pending'))

t.test('a rule without the SAs that it asks for is told of, and put into force all the same', async (t) => {
  const lacking = { ...BASE, associations: [espSa(0x1000, L, R)] }
  const sentence =
    /^WARNING: .*:1: rule 2 has no SA to receive by with 10\.1\.0\.2: its packets are refused until it has\.$/m
  t.match((await here.command('plan', lacking)).err, sentence)
  t.match((await here.command('apply', lacking)).err, sentence)
  const json = JSON.parse((await here.command('plan --json', lacking)).out)
  t.match(json.warnings, [/no SA to receive by/])
  const rulesOnly = { policies: BASE.policies }
  t.match((await here.command('plan', rulesOnly)).err, sentence, 'with SAs that are there')
  t.equal((await here.command('plan', BASE)).err.includes('no SA'), false)
  await here.apply({ policies: [], associations: [] })
})

t.test('applied: packets are protected, and nothing is left to do', async (t) => {
  const planned = await here.command('plan', BASE)
  t.equal(planned.code, 0)
  t.match(planned.out, /^Rules\n {2}\+ \{laddr 10\.1\.0\.1 raddr 10\.1\.0\.2\} ipsec .* # .*:1\n/)
  t.match(planned.out, /\nSAs\n {2}\+ esp 0x1000 10\.1\.0\.1 -> 10\.1\.0\.2 aes-cbc\(128\)/)
  t.match(planned.out, /\nPlan: 3 to add, 0 to change, 0 to remove, 0 untouched\.\n$/)
  t.equal((await here.command('diff', BASE)).code, 1)
  t.match(await here.apply(BASE), /Plan: 3 to add.*\nDone\.\n$/)
  await there.apply(OTHER)
  t.ok(ping({ station: left, address: L }, { station: right, address: R }).delivered)
  t.same(await here.command('diff', BASE), { code: 0, out: '', err: '' })
  t.equal((await here.command('plan', BASE)).out, 'Plan: 0 to add, 0 to change, 0 to remove, 3 untouched.\n')
})

t.test('what is the same is untouched, with its counters; limits change in place', async (t) => {
  const used = new Map(states().map(({ body }) => [body.id.spi, body]))
  t.ok((used.get(0x1000)?.curlft.packets ?? 0n) > 0n, 'it was used')
  const limited = espSa(0x1001, R, L, { hard: { addTime: 9000 } })
  const next = { associations: [espSa(0x1000, L, R), limited, ...espPair(0x2000, L, R)] }
  t.match((await here.command('diff', next)).out, /\n~ esp 0x1001 .* # hard\n[+] esp 0x2000/)
  const { code, out } = await here.command('apply --json', next)
  t.equal(code, 0)
  t.same(violations('solipsec-plan.schema.json', out), [])
  t.match(JSON.parse(out), { applied: true, counts: { add: 2, change: 1, remove: 0, untouched: 1 } })
  for (const { body } of states()) {
    const old = used.get(body.id.spi)
    if (!old) continue
    t.same([body.curlft.packets, body.curlft.add_time], [old.curlft.packets, old.curlft.add_time])
  }
  t.match(
    states().find(({ body }) => body.id.spi === 0x1001),
    { body: { lft: { hard_add_expires_seconds: 9000n } } },
  )
  await there.apply({ associations: [...espPair(0x1000, L, R), ...espPair(0x2000, L, R)] })
  t.ok(ping({ station: left, address: L }, { station: right, address: R }).delivered)
})

t.test('a section that is left out stays; an empty one takes all away; others are not touched', async (t) => {
  const foreign = states().find(({ body }) => body.id.spi === 0x2000)
  if (!foreign) throw new Error('no SA')
  const id = { ...foreign.body.id, spi: 0x7777 }
  const { set_mark: _, set_mark_mask: __, lastused: ___, ...attributes } = foreign.attributes
  const message: XfrmMessage = { name: 'NEWSA', body: { ...foreign.body, id, reqid: 7 }, attributes }
  t.same(look((connection) => connection.batch([message])).failures, [])
  await here.apply({ policies: [] })
  t.equal(look((connection) => connection.policies()).length, 0)
  t.equal(states().length, 5)
  await here.apply({ associations: [] })
  t.same(
    states().map(({ body }) => body.id.spi),
    [0x7777],
  )
  const inTheWay = await here.command('apply', { associations: [espSa(0x7777, L, R)] })
  t.match(inTheWay, { code: 1, err: /belongs to another program/ })
  t.notOk(states().some(({ body }) => isOurState(body.reqid)))
  look((connection) => connection.batch([{ name: 'FLUSHSA', body: { proto: 255 }, attributes: {} }]))
})

t.test('files of Solaris', async (t) => {
  const policy = here.file(
    `{laddr ${L} raddr ${R}} ipsec {encr_algs aes encr_auth_algs sha256}\n`,
    'ipsecinit.conf',
  )
  t.match((await here.command('plan', policy)).out, /ipsecinit\.conf:1\n/)
  const keys = `add esp spi 0x1000 src ${L} dst ${R} auth_alg sha256 authkey ${'1f'.repeat(32)}\n`
  await here.apply(here.file(keys, 'ipseckeys'))
  t.equal((await here.command('diff', here.file(keys, 'ipseckeys'))).code, 0)
  t.match(await here.command('apply', here.file(`${keys}delete esp spi 1000 dst ${R}\n`, 'ipseckeys')), {
    code: 1,
    err: /Only add can be part of a configuration/,
  })
  t.match(await here.command('plan', here.file('PROTO|2|AUTH|sync\n', 'ipsecalgs')), {
    code: 1,
    err: /nothing in it to load/,
  })
  await here.apply({ associations: [] })
})

t.test('what cannot be put into force is refused as a whole', async (t) => {
  const refused: [object, RegExp][] = [
    [
      { ...BASE, tunnels: [{ name: 'lo', kind: 'ipip', local: L, remote: R }] },
      /json:1: lo is there, solipsec has not made it, and it is another one: it is no tunnel .*\nhelp: .*ip link delete lo\n/,
    ],
    [
      { associations: [espSa(0x1000, L, R, { encryption: { algorithm: 'aes', key: { credential: 'k' } } })] },
      /credential k is not there/,
    ],
    [{ associations: [espSa(0x1000, L, R, { pairSpi: 0x999 })] }, /no SA with spi 0x999/],
  ]
  for (const [document, why] of refused) {
    for (const [subcommand, code] of [
      ['plan', 1],
      ['apply', 1],
    ] as const) {
      t.match(await here.command(subcommand, document), { code, out: '', err: why })
    }
  }
  const [[bad = {}] = []] = refused
  t.equal((await here.command('diff', bad)).code, 2)
  t.equal((await here.command('diff --nonsense', BASE)).code, 2)
  t.same(states(), [])
  const empty = { ...BASE, sockets: [], tunables: {}, tunnels: [] }
  t.equal((await here.command('plan', empty)).code, 0)
})

t.test('policies of sockets: the agent puts them into force', async (t) => {
  const asked = { sockets: [{ service: 'x.service', action: 'bypass' }] }
  const line = /^Sockets: policies of 1 service; the agent that loads this file gives them/
  const err = /WARNING: No agent runs here: programs of x\.service /
  for (const subcommand of ['plan', 'apply', 'apply -v']) {
    t.match(await here.command(subcommand, asked), { code: 0, out: line, err }, subcommand)
  }
  const { code, out } = await here.command('plan --json', asked)
  t.equal(code, 0)
  t.same(violations('solipsec-plan.schema.json', out), [])
  t.match(JSON.parse(out), { sockets: ['x.service'], warnings: [/No agent/] })
  t.same(await here.command('diff', asked), { code: 0, out: '', err: '' })
})

t.test('a tunnel that the kernel does not make: nothing of the rest is there', async (t) => {
  const tunnel = { name: 'tun7', kind: 'ipip', local: L, remote: R, addresses: ['10.3.0.1/30'], mtu: 1400 }
  // The other end is one that the tunnel with the same ends, which is made first, has.
  const document = { ...BASE, tunnels: [tunnel, { ...tunnel, name: 'tun8', addresses: ['10.3.0.5/30'] }] }
  const plan = await here.command('plan --json', document)
  t.same(violations('solipsec-plan.schema.json', plan.out), [])
  t.match(JSON.parse(plan.out), { tunnels: { add: [tunnel, { name: 'tun8' }], untouched: 0 } })
  const isMakable = tryTunnel('ipip').outcome === 'works'
  const { err } = await here.command('plan', document)
  t.equal(/^WARNING: this kernel makes no ipip interfaces \(.*: tun7, tun8\. /m.test(err), !isMakable, err)
  t.match(await here.command('plan', document), {
    out: /^Tunnels\n {2}\+ tun7 ipip 10\.1\.0\.1 -> 10\.1\.0\.2 10\.3\.0\.1\/30 mtu 1400\n/,
  })
  t.match(await here.command('diff', document), { code: 1, out: /^\+ tun7 ipip/m })
  t.match(await here.command('apply', document), {
    code: 1,
    out: '',
    err: /tun[78] cannot be made: .*\nhelp: (this kernel has no|another interface) .*\nNothing was changed\.$/m,
  })
  t.notMatch(await left.host.ip('link show'), /tun[78]/)
  t.same(states(), [])
  t.same(pending(), [])
})

/** Hundreds of rules and SAs, of which every second one is the same from one generation to the next. */
function generation(n: number): object {
  const peers = Array.from({ length: 200 }, (_, i) => `10.${i % 2 === 0 ? 100 : 100 + n}.0.${i + 1}`)
  return {
    policies: [...peers.map((peer) => between(L, peer)), { ...between(L, R), protect: [PROTECT, 'bypass'] }],
    associations: [
      ...peers.map((peer, i) => espSa(0x4000 + (i % 2 === 0 ? i : i + 0x1000 * n), L, peer)),
      espSa(0x3000, L, R, { hard: { addTime: 1000 * n }, replayWindow: 32 * n }),
    ],
  }
}

t.test('a step that is refused in the middle leaves the old state', async (t) => {
  await here.apply(generation(1))
  const before = picture()
  const diff = await here.command('diff --json', generation(2))
  t.equal(diff.code, 1)
  t.same(violations('solipsec-diff.schema.json', diff.out), [])
  for (const at of [0, 0.3, 0.6, 0.99]) {
    left.visit(() => {
      const session = Session.open(defaultAlgorithmTable)
      try {
        // Every second rule and SA goes.
        const rules = session.state.rules.filter((_, i) => i % 2 === 0).map(({ rule }) => rule)
        const associations = session.associations('ours').filter((_, i) => i % 2 === 0)
        const policy = replaceRules(session.state, rules, { kind: 'all' })
        const change = session.planAll({ policy, associations })
        const { steps } = change.reconciliation
        const gone = steps.findLast((step) => step.kind === 'message' && step.message.name === 'DELSA')
        if (gone?.kind !== 'message' || gone.message.name !== 'DELSA') throw new Error('no SA goes')
        const missing: XfrmMessage = { ...gone.message, body: { ...gone.message.body, spi: 0x9999 } }
        const refused: Step = { kind: 'message', message: missing }
        const place = Math.floor(steps.length * at)
        const spoilt = {
          ...change.reconciliation,
          steps: [...steps.slice(0, place), refused, ...steps.slice(place)],
        }
        t.throws(() => session.apply({ ...change, reconciliation: spoilt }), { name: 'ApplyError' })
      } finally {
        session.close()
      }
    })
    t.equal(picture(), before, `at ${at}`)
    t.same(pending(), [])
  }
  t.equal((await here.command('diff', generation(1))).code, 0, 'notes and record, too')
})

t.test('killed at any moment: the next command finds the old or the new state', async (t) => {
  const documents = [generation(1), generation(2)].map((one) => here.file(one))
  const pictures: string[] = []
  for (const document of documents) {
    await here.apply(document)
    pictures.push(picture())
  }
  let broken = 0
  for (let i = 0; i < 8; i++) {
    const before = pictures.indexOf(picture())
    await killAtWork(documents[1 - before] ?? '')
    if (pending().length > 0) broken++
    const codes = await Promise.all(documents.slice(0, 1).map((one) => here.command('diff -q', one)))
    const now = pictures.indexOf(picture())
    if (now < 0) return t.fail(`a mixture after kill ${i}`)
    t.equal(codes[0]?.code, now, 'the record is that of the state in force')
  }
  t.comment(`${broken} of 8 kills broke a change off, which the next command took back`)
  t.same(pending(), [])
  await here.apply({ policies: [], associations: [] })
  t.same(states(), [])
})

/** Starts a command, and kills it some time after it has announced its change; it may come to its end. */
async function killAtWork(document: string): Promise<void> {
  const argv = ['apply', '--datapath', 'software', '--netns', left.host.namespace, document]
  const child: ChildProcess = spawn(BIN, argv, { stdio: 'ignore' })
  let running = true
  const ended = once(child, 'exit').then(([code]) => {
    running = false
    if (code) throw new Error(`it ended with ${code}`)
  })
  while (running && !pending().includes('policy.pending'))
    await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, randomInt(6)))
  child.kill('SIGKILL')
  await ended
}
