import fc from 'fast-check'
import t from 'tap'
import { socketState } from '../../../netlink/diag/constants.ts'
import { DIAG_REQUEST, diag, diagRequest, dumpSockets } from '../../../netlink/diag/messages.ts'
import { ofAttributes, ofStruct } from '../codec/arbitrary.ts'
import { plain } from '../codec/plain.ts'

for (const [title, family] of [
  ['question', diagRequest],
  ['answer', diag],
] as const) {
  t.test(`${title}: decode undoes encode`, async (t) => {
    const [type, body, attributes] = family.definitions.BY_FAMILY
    fc.assert(
      fc.property(ofStruct(body as never), ofAttributes(attributes as never), (body, attributes) => {
        const message = { name: 'BY_FAMILY', body, attributes } as never
        const payload = family.encode(message)
        t.same(plain(family.decode(type, payload)), plain(message))
        t.same(family.encode(family.decode(type, payload) as never), payload)
      }),
      { numRuns: 30 },
    )
  })
}

t.test('a question', async (t) => {
  const payload = dumpSockets({
    family: 2,
    protocol: 6,
    states: [socketState.ESTABLISHED, socketState.CLOSING],
  })
  t.equal(payload.length, 56)
  const { body } = diagRequest.decode(DIAG_REQUEST, payload)
  t.match(body, { sdiag_family: 2, sdiag_protocol: 6, idiag_states: 0x802, id: { idiag_cookie: 0n } })
})
