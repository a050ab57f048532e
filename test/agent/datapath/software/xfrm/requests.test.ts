/** XFRM's messages on the software data path's databases: what they do, and what is refused as the kernel would. */
import t from 'tap'
import type { State } from '../../../../../agent/datapath/software/state/state.ts'
import { RequestError } from '../../../../../agent/datapath/software/xfrm/request-error.ts'
import { Requests } from '../../../../../agent/datapath/software/xfrm/requests.ts'
import { errnoName } from '../../../../../netlink/libc/errno.ts'
import { dir, group, mode, proto, stateFlag } from '../../../../../netlink/xfrm/constants.ts'
import {
  defaultPolicy,
  defaultSelector,
  defaultState,
  defaultTemplate,
} from '../../../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import { emptyDatabases, surroundings } from '../surroundings.ts'

const address = (last: number) => Uint8Array.of(10, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
const key = (bytes: number) => new Uint8Array(bytes).fill(7)
const GCM = {
  alg_aead: { alg_name: 'rfc4106(gcm(aes))', alg_key_len: 160, alg_icv_len: 128, alg_key: key(20) },
}

type SaBody = XfrmMessage<'NEWSA'>['body']

function newSa(spi: number, attributes: object = GCM, body: Partial<SaBody> = {}): XfrmMessage<'NEWSA'> {
  const own = { ...attributes } as XfrmMessage<'NEWSA'>['attributes']
  const id = { daddr: address(2), spi, proto: proto.ESP }
  return {
    name: 'NEWSA',
    body: { ...defaultState(), id, saddr: address(1), reqid: 1, ...body },
    attributes: own,
  }
}

function newPolicy(
  last: number,
  more: Partial<XfrmMessage<'NEWPOLICY'>['body']> = {},
): XfrmMessage<'NEWPOLICY'> {
  const sel = { ...defaultSelector(), daddr: address(last), prefixlen_d: 32 }
  return {
    name: 'NEWPOLICY',
    body: { ...defaultPolicy(), sel, dir: dir.OUT, ...more },
    attributes: { tmpl: [defaultTemplate()] },
  }
}

function make() {
  const databases = emptyDatabases()
  const remembered: { state: State; sent: number; seen: number }[] = []
  const requests = new Requests(databases, () => surroundings(remembered))
  const refusal = (message: XfrmMessage): string => {
    const { generation } = databases
    try {
      requests.handle(message)
      return 'taken'
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      if (databases.generation !== generation) return 'changed something'
      return errnoName(error.errno)
    }
  }
  return { databases, requests, refusal, remembered }
}

t.test('SAs come, are shown, and go', async (t) => {
  const { databases, requests, refusal } = make()
  const { event, isChange } = requests.handle(newSa(0x100))
  t.ok(isChange)
  t.equal(event?.group, group.SA)
  t.equal(refusal(newSa(0x100)), 'EEXIST')
  requests.handle(newSa(0x101))
  t.same(
    [...requests.dump('GETSA', {})].map((one) => one.name === 'NEWSA' && one.body.id.spi),
    [0x100, 0x101],
  )
  t.same([...requests.dump('GETSA', { proto: proto.AH })], [])
  const { id, family } = newSa(0x100).body
  const name = { daddr: id.daddr, spi: id.spi, family, proto: id.proto }
  const removal = requests.handle({ name: 'DELSA', body: name, attributes: {} }).event?.message.attributes
  t.match(removal, { sa: { id: { spi: 0x100 } }, alg_aead: { alg_name: 'rfc4106(gcm(aes))' } }, 'what it was')
  t.ok(
    removal && 'alg_aead' in removal && removal.alg_aead?.alg_key.every((byte) => byte === 0),
    'but no key',
  )
  t.equal(refusal({ name: 'DELSA', body: name, attributes: {} }), 'ESRCH')
  requests.handle({ name: 'FLUSHSA', body: { proto: proto.ESP }, attributes: {} })
  t.equal(databases.states.size, 0)
})

t.test('SAs that the kernel would not take are not taken', async (t) => {
  const { refusal, databases } = make()
  const sha = { alg_name: 'hmac(sha256)', alg_key_len: 256, alg_trunc_len: 128, alg_key: key(32) }
  const esn = { bmp_len: 0, oseq: 0, seq: 0, oseq_hi: 0, seq_hi: 0, replay_window: 0, bmp: [] }
  const window = { ...esn, bmp_len: 1, replay_window: 32, bmp: [0] }
  const extended = (numbers: Partial<typeof esn>) => ({ ...GCM, replay_esn_val: { ...window, ...numbers } })
  const ah = { ...newSa(1).body.id, proto: proto.AH }
  for (const [title, message, errno] of [
    ['no algorithm', newSa(1, {}), 'EINVAL'],
    ['SPI 0', newSa(0), 'EINVAL'],
    ['a mode of other uses', newSa(1, GCM, { mode: mode.BEET }), 'EINVAL'],
    ['both kinds of algorithm', newSa(1, { ...GCM, alg_auth_trunc: sha }), 'EINVAL'],
    ['a cipher for AH', newSa(1, GCM, { id: ah }), 'EINVAL'],
    ['IPComp', newSa(1, GCM, { id: { ...ah, proto: proto.COMP } }), 'EPROTONOSUPPORT'],
    [
      'an unknown cipher',
      newSa(1, { alg_crypt: { alg_name: 'cbc(x)', alg_key_len: 64, alg_key: key(8) } }),
      'ENOSYS',
    ],
    ['a key of another length', newSa(1, { alg_aead: { ...GCM.alg_aead, alg_key_len: 152 } }), 'ENOSYS'],
    ['a window beyond its bitmap', newSa(1, GCM, { replay_window: 33 }), 'EINVAL'],
    ['ESN without a window', newSa(1, { ...GCM, replay_esn_val: esn }, { flags: stateFlag.ESN }), 'EINVAL'],
    [
      'an uncountable number sent',
      newSa(1, extended({ oseq_hi: 2 ** 21 }), { flags: stateFlag.ESN }),
      'EINVAL',
    ],
    [
      'an uncountable number seen',
      newSa(1, extended({ seq_hi: 2 ** 21 }), { flags: stateFlag.ESN }),
      'EINVAL',
    ],
    ['a mark', newSa(1, { ...GCM, mark: { v: 1, m: 1 } }), 'EINVAL'],
  ] as const) {
    t.equal(refusal(message), errno, title)
  }
  t.equal(databases.states.size, 0)
})

t.test('an update changes limits, and never sequence numbers backwards', async (t) => {
  const { databases, requests, refusal, remembered } = make()
  requests.handle(newSa(0x100))
  const [state] = databases.states.all()
  const lft = { ...newSa(1).body.lft, hard_byte_limit: 10n }
  requests.handle({ ...newSa(0x100, GCM, { lft }), name: 'UPDSA' })
  t.equal(state?.limits.hardBytes, 10)
  const { id, family, saddr, reqid } = newSa(0x100).body
  const sa_id = { daddr: id.daddr, spi: id.spi, family, proto: id.proto }
  const numbers = (oseq: number): XfrmMessage => ({
    name: 'NEWAE',
    body: { sa_id, saddr, flags: 0, reqid },
    attributes: { replay_val: { oseq, seq: 0, bitmap: 0 } },
  })
  requests.handle(numbers(500))
  t.equal(state?.sequence.last, 500)
  t.ok(
    remembered.some(({ sent }) => sent >= 500),
    'written down',
  )
  t.equal(refusal(numbers(499)), 'EINVAL')
})

t.test('at the end of the numbers, what counts as seen is the last one and not the first', async (t) => {
  const { databases, requests, remembered } = make()
  requests.handle(
    newSa(0x100, { ...GCM, replay_val: { oseq: 0, seq: 0xffff_fff0, bitmap: 0 } }, { replay_window: 32 }),
  )
  const [state] = databases.states.all()
  state?.accept(0xffff_fff8)
  t.same(
    remembered.map(({ seen }) => seen),
    [0xffff_ffff],
  )
})

t.test('an update does not set a number that cannot be counted', async (t) => {
  const { databases, requests, refusal } = make()
  const esn = { bmp_len: 1, oseq: 0, seq: 0, oseq_hi: 0, seq_hi: 0, replay_window: 32, bmp: [0] }
  const sa = newSa(0x100, { ...GCM, replay_esn_val: esn }, { flags: stateFlag.ESN })
  requests.handle(sa)
  const [state] = databases.states.all()
  const { id, family, saddr, reqid } = sa.body
  const sa_id = { daddr: id.daddr, spi: id.spi, family, proto: id.proto }
  const numbers = (half: number): XfrmMessage => ({
    name: 'NEWAE',
    body: { sa_id, saddr, flags: 0, reqid },
    attributes: { replay_esn_val: { ...esn, seq_hi: half } },
  })
  t.equal(refusal(numbers(2 ** 21)), 'EINVAL')
  t.equal(state?.replay.highest, 0, 'nothing is changed')
  requests.handle(numbers(2 ** 21 - 1))
  t.equal(state?.replay.highest, (2 ** 21 - 1) * 2 ** 32)
})

t.test('policies come, are replaced, and go', async (t) => {
  const { databases, requests, refusal } = make()
  requests.handle(newPolicy(1, { index: 0x4000_0001 }))
  t.equal(refusal(newPolicy(1)), 'EEXIST', 'the same selector')
  t.equal(refusal(newPolicy(2, { index: 0x4000_0001 })), 'EEXIST', 'the same number')
  requests.handle({ ...newPolicy(1, { priority: 5 }), name: 'UPDPOLICY' })
  const [policy] = databases.policies.all()
  t.match(policy?.info, { priority: 5, index: 0x4000_0001 }, 'it keeps its number')
  requests.handle(newPolicy(2))
  t.equal([...requests.dump('GETPOLICY', {})].length, 2)
  const removal = (index: number): XfrmMessage => ({
    name: 'DELPOLICY',
    body: { sel: defaultSelector(), index, dir: dir.OUT },
    attributes: {},
  })
  requests.handle(removal(0x4000_0001))
  t.equal(refusal(removal(0x4000_0001)), 'ENOENT')
  requests.handle({ name: 'FLUSHPOLICY', body: {}, attributes: {} } as XfrmMessage)
  t.equal(databases.policies.size, 0)
})

t.test('what the data path could not keep is not taken', async (t) => {
  const { refusal } = make()
  t.equal(refusal(newPolicy(1, { dir: 3 })), 'EINVAL', 'a direction that there is not')
  t.equal(refusal({ ...newPolicy(1), attributes: { if_id: 3 } }), 'EINVAL')
  t.equal(refusal(newPolicy(1, { index: 9, dir: dir.IN })), 'EINVAL', 'a number of the other direction')
  const tmpl = Array.from({ length: 6 }, () => defaultTemplate())
  t.equal(refusal({ ...newPolicy(1), attributes: { tmpl } }), 'EINVAL', 'too many templates')
})
