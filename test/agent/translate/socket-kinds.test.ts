import fc from 'fast-check'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { contentOf } from '../../../agent/translate/associations.ts'
import { buildClasses } from '../../../agent/translate/classes.ts'
import { requirementsOf, type SaContent, satisfies } from '../../../agent/translate/requirements.ts'
import { contentOfKind, kindKey, kindOf, requirementOfKind } from '../../../agent/translate/socket-kinds.ts'
import { times } from '../../support/fuzz.ts'
import { association, packet, rules as ruleSets } from './simulation/arbitrary.ts'
import { protectionsOf } from './simulation/solaris.ts'

const alternatives = ruleSets.map((rules) =>
  rules.map((rule) => protectionsOf(rule).map((one) => requirementsOf(one))),
)
const contents = packet
  .chain((one) => fc.array(association(one, 'in'), { minLength: 1, maxLength: 12 }))
  .map((sas) => sas.map(contentOf).filter(({ mode }) => mode === 'transport'))

const kindsOf = (all: readonly SaContent[]) => [
  ...new Map(all.map((one) => [kindKey(kindOf(one)), kindOf(one)])).values(),
]

t.test('property: the reqid of a kind that sockets are bound to depends on nothing else', async () => {
  fc.assert(
    fc.property(alternatives, contents, contents, (all, own, others) => {
      const [mine, theirs] = [kindsOf(own), kindsOf(others)]
      const alone = buildClasses([], defaultAlgorithmTable, mine.map(requirementOfKind))
      const both = [...theirs, ...mine].map(requirementOfKind)
      const among = buildClasses(all, defaultAlgorithmTable, both)
      return own.every((one) => {
        const [a, b] = [alone.classOf(one), among.classOf(one)]
        return a !== undefined && a.reqid === b?.reqid
      })
    }),
    times(60),
  )
})

t.test('property: kinds leave rules what they accept, and are kept apart', async () => {
  fc.assert(
    fc.property(alternatives, contents, contents, (all, own, others) => {
      const kinds = kindsOf(own)
      const classes = buildClasses(all, defaultAlgorithmTable, kinds.map(requirementOfKind))
      return [...own, ...others].every((one) => {
        const found = classes.classOf(one)
        const isRight = all
          .flat(2)
          .every((each) => satisfies(one, each) === classes.accepting(each).some((other) => other === found))
        const sameKind = kinds.filter((kind) => kindKey(kind) === kindKey(kindOf(one)))
        const bound = kinds.filter((kind) => classes.classOf(contentOfKind(kind)) === found)
        return isRight && (found === undefined || bound.length === sameKind.length)
      })
    }),
    times(60),
  )
})
