import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import {
  decodeNotes,
  encodeNotes,
  noteOf,
  saKey,
  withNote,
} from '../../../agent/reconcile/association-notes.ts'
import { address } from '../../support/address.ts'
import { association, packet } from '../translate/simulation/arbitrary.ts'

const seconds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const text = fc.string()
const identity = fc.record({ type: fc.integer({ min: 1, max: 6 }), value: text })
const host = fc.constantFrom('192.0.2.1', '2001:db8::1').map(address)

/** What may be said of an SA beyond what the kernel keeps. */
const extras = fc
  .record(
    {
      direction: fc.constantFrom('in', 'out'),
      pairSpi: fc.integer({ min: 256, max: 0xffff_ffff }),
      sourceIdentity: identity,
      destinationIdentity: identity,
      idle: fc.record({ addTime: seconds, useTime: seconds }),
    },
    { requiredKeys: ['idle'] },
  )
  .map((all) => all as Partial<SecurityAssociation>)

const noted = packet.chain((one) =>
  fc
    .tuple(association(one, 'in'), extras, seconds, fc.option(fc.record({ local: host, remote: host })))
    .map(([sa, more, allocations, nat]): { bare: SecurityAssociation; full: SecurityAssociation } => {
      const ports = { localPort: 4500, remotePort: 4500 }
      const bare = nat ? { ...sa, encapsulation: ports } : sa
      const soft = { ...sa.soft, allocations }
      return { bare, full: { ...bare, ...more, soft, ...(nat && { encapsulation: { ...ports, ...nat } }) } }
    }),
)

t.test('property: what the kernel does not keep comes back from the notes', async () => {
  fc.assert(
    fc.property(noted, ({ bare, full }) => {
      const note = noteOf(full)
      const read = note && decodeNotes(encodeNotes(new Map([[saKey(full), note]])))
      assert.deepEqual(plain(withNote(bare, read?.get(saKey(bare)))), plain(full))
    }),
  )
})

/** Comparable: without keys, which do not show themselves. */
function plain({ authKey, encrKey, ...rest }: SecurityAssociation) {
  return structuredClone(rest)
}

t.test('an SA of which the kernel keeps all needs no note', async (t) => {
  const [sa] = fc.sample(association(fc.sample(packet, 1)[0] as never, 'in'), 1)
  t.equal(sa && noteOf(sa), undefined)
})
