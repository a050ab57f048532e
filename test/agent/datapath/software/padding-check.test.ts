/** What is checked of the padding of ESP (`ipsecesp_padding_check`), with packets of a second implementation. */
import t from 'tap'
import { openEsp } from '../../../../agent/datapath/software/esp.ts'
import { State } from '../../../../agent/datapath/software/state/state.ts'
import { paddingFlags } from '../../../../agent/model/padding-check.ts'
import { allocateArena } from '../../../../netlink/libc/arena.ts'
import { proto } from '../../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../../netlink/xfrm/defaults.ts'
import { attributesOf, encodeEsp, ivLengthOf, type Suite } from './reference/esp.ts'
import { surroundings } from './surroundings.ts'

const suite: Suite = {
  kind: 'combined',
  name: 'rfc4106(gcm(aes))',
  icvLength: 16,
  key: new Uint8Array(16).fill(7),
  salt: Uint8Array.of(1, 2, 3, 4),
}
const arena = allocateArena(4096)
const AT = 64
const payload = new Uint8Array(18).fill(0xaa)

/** What becomes of a packet with this padding. @param check absent: the SA says nothing of it */
function opened(padding: readonly number[], check?: number): string {
  const { body, flags } = { body: defaultState(), flags: check === undefined ? 0 : paddingFlags(check) }
  const id = { ...body.id, spi: 0x1000, proto: proto.ESP }
  const attributes = { ...attributesOf(suite), ...(flags > 0 && { sa_extra_flags: flags }) }
  const state = new State({ body: { ...body, id, replay_window: 32 }, attributes }, surroundings())
  const packet = {
    spi: 0x1000,
    sequence: 1n,
    isExtended: false,
    payload,
    padding: Uint8Array.from(padding),
    nextHeader: 17,
  }
  const bytes = encodeEsp(suite, packet, new Uint8Array(ivLengthOf(suite)))
  arena.bytes.set(bytes, AT)
  const into = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
  const failure = openEsp(state, arena, AT, AT + bytes.length, into)
  if (failure) {
    t.equal(state.replay.highest, 0, 'the number counts as not seen')
    return failure
  }
  t.equal(into.payloadEnd - into.payloadAt, payload.length)
  return 'good'
}

const BAD = 'XfrmInStateProtoError'
const RIGHT = [1, 2, 3, 4]
const RANDOM = [9, 9, 9, 9]
const LENGTH = [9, 9, 9, 4]
const LAST = [1, 2, 3, 9]

t.test('which padding is taken', async (t) => {
  for (const [what, padding, ...expected] of [
    ['the default padding', RIGHT, 'good', 'good', 'good'],
    ['none', [], 'good', 'good', 'good'],
    ['any bytes', RANDOM, 'good', BAD, BAD],
    ['any bytes, and the length last', LENGTH, 'good', 'good', BAD],
    ['the default padding but for its last byte', LAST, 'good', BAD, BAD],
  ] as const) {
    const aligned = padding.length === 0 ? [] : padding
    t.same(
      [0, 1, 2].map((check) => opened(aligned, check)),
      expected,
      what,
    )
    t.equal(opened(aligned), expected[1], `${what}: as on Solaris at first`)
  }
})
