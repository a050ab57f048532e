/**
 * How long it takes to encode and decode policies and SAs: `node dist/bench/netlink-codec.js`.
 * Prints nanoseconds for each message, the best of several rounds.
 *
 * @module
 */
import { memoryOf } from '../netlink/codec/memory.ts'
import { defaultPolicy, defaultState, defaultTemplate } from '../netlink/xfrm/defaults.ts'
import {
  decodeMessage,
  encodeMessage,
  messageType,
  type XfrmMessage,
  xfrm,
} from '../netlink/xfrm/messages.ts'
import { writePolicy } from '../netlink/xfrm/policy-writer.ts'

const rounds = 12
const perRound = 40_000
const memory = memoryOf(new Uint8Array(1 << 20))
const header = { flags: 0x405, seq: 1 }

const policies = Array.from(
  { length: 2000 },
  (_, i): XfrmMessage<'NEWPOLICY'> => ({
    name: 'NEWPOLICY',
    body: { ...defaultPolicy(), priority: i, dir: 1 },
    attributes: { tmpl: [{ ...defaultTemplate(), reqid: i }], mark: { v: i & 0xff, m: 0xff } },
  }),
)

const states = Array.from(
  { length: 2000 },
  (_, i): XfrmMessage<'NEWSA'> => ({
    name: 'NEWSA',
    body: { ...defaultState(), reqid: i, replay_window: 32 },
    attributes: {
      alg_aead: {
        alg_name: 'rfc4106(gcm(aes))',
        alg_key_len: 160,
        alg_icv_len: 128,
        alg_key: new Uint8Array(20),
      },
    },
  }),
)

/** Best time of one call in nanoseconds. `call` gets a running number, and gives the offset to go on from. */
function measure(call: (n: number, at: number) => number): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    let at = 0
    for (let n = 0; n < perRound; n++) at = call(n, at > 1_000_000 ? 0 : at)
    best = Math.min(best, Number(process.hrtime.bigint() - start) / perRound)
  }
  return Math.round(best)
}

function pick<T>(list: readonly T[], n: number): T {
  const one = list[n % list.length]
  if (one === undefined) throw new RangeError('an empty list')
  return one
}

const encodedPolicy = encodeMessage(pick(policies, 7))
const results = {
  'NEWPOLICY by the table': measure((n, at) => xfrm.write(memory, at, pick(policies, n), header)),
  'NEWPOLICY by its twin': measure((n, at) => writePolicy(memory, at, pick(policies, n), header)),
  'NEWPOLICY decoded': measure(() => {
    decodeMessage(messageType('NEWPOLICY'), encodedPolicy)
    return 0
  }),
  'NEWSA by the table': measure((n, at) => xfrm.write(memory, at, pick(states, n), header)),
}
for (const [what, nanoseconds] of Object.entries(results)) {
  console.log(`${what.padEnd(24)} ${String(nanoseconds).padStart(6)} ns`)
}
