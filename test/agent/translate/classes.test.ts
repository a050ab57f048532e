import fc from 'fast-check'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { contentOf } from '../../../agent/translate/associations.ts'
import {
  buildClasses,
  isOurReqid,
  type ProtectionClass,
  unclassedReqid,
} from '../../../agent/translate/classes.ts'
import { colour } from '../../../agent/translate/colours.ts'
import { DEFAULT_MARK_MASK, inField, markLayout } from '../../../agent/translate/marks.ts'
import { requirementsOf, satisfies } from '../../../agent/translate/requirements.ts'
import { association, packet, rules as ruleSets } from './simulation/arbitrary.ts'
import { protectionsOf } from './simulation/solaris.ts'

/** The alternatives of a set of rules, as classes are built of them. */
const alternatives = ruleSets.map((rules) =>
  rules.map((rule) => protectionsOf(rule).map((one) => requirementsOf(one))),
)
const associations = packet.chain((one) => fc.array(association(one, 'in'), { minLength: 1, maxLength: 20 }))

t.test(
  'property: an SA is in a class that a rule accepts if, and only if, it satisfies the rule',
  async () => {
    fc.assert(
      fc.property(alternatives, associations, (all, sas) => {
        const classes = buildClasses(all, defaultAlgorithmTable)
        return sas.every((sa) => {
          const content = contentOf(sa)
          const own = classes.classOf(content)
          return all
            .flat(2)
            .every(
              (one) =>
                satisfies(content, one) === classes.accepting(one).some((accepted) => accepted === own),
            )
        })
      }),
    )
  },
)

t.test('property: reqids are distinct, ours, and the same whatever the order of the rules', async () => {
  fc.assert(
    fc.property(alternatives, fc.func(fc.nat()), (all, key) => {
      const { esp, ah } = buildClasses(all, defaultAlgorithmTable)
      const shuffled = [...all].sort((a, b) => key(a) - key(b))
      const again = buildClasses(shuffled, defaultAlgorithmTable)
      const names = (classes: readonly ProtectionClass[]) =>
        classes.map(({ reqid, signature }) => `${reqid} ${signature.join()}`).join('\n')
      const reqids = [...esp, ...ah].map(({ reqid }) => reqid)
      return (
        new Set([...reqids, unclassedReqid('esp'), unclassedReqid('ah')]).size === reqids.length + 2 &&
        reqids.every(isOurReqid) &&
        names(again.esp) === names(esp) &&
        names(again.ah) === names(ah)
      )
    }),
  )
})

t.test('reqids are away from those of others', async (t) => {
  for (const foreign of [0, 1, 16384, 0x4fff_ffff, 0x6000_0000, 0xd000_0000]) t.notOk(isOurReqid(foreign))
  t.not(unclassedReqid('esp'), unclassedReqid('ah'))
})

t.test('property: who shares a colour is treated alike by each rule, or admitted one at a time', async () => {
  const treatments = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      rules: fc.array(
        fc.array(fc.constantFrom(undefined, undefined, 'alone', 'with AH'), {
          minLength: count,
          maxLength: count,
        }),
        { maxLength: 6 },
      ),
    }),
  )
  fc.assert(
    fc.property(treatments, ({ count, rules }) => {
      const colours = colour(count, rules)
      return (
        colours.length === count &&
        [...new Set(colours)].sort((a, b) => a - b).every((one, i) => one === i + 1) &&
        rules.every((rule) =>
          colours.every((own) => {
            const sharing = rule.filter((_, i) => colours[i] === own)
            return new Set(sharing).size <= 1 || sharing.filter((one) => one !== undefined).length <= 1
          }),
        )
      )
    }),
  )
})

t.test('colours: as few as it takes', async (t) => {
  t.same(colour(3, []), [1, 1, 1], 'nobody tells them apart')
  t.same(colour(3, [['x', 'x', 'x']]), [1, 1, 1], 'all are welcome')
  t.same(
    colour(3, [
      ['x', undefined, undefined],
      [undefined, 'x', undefined],
    ]),
    [1, 1, 1],
    'the reqid decides',
  )
  t.same(colour(3, [['x', 'x', undefined]]), [1, 1, 2], 'two of three')
  t.same(colour(2, [['alone', 'with AH']]), [1, 2])
})

t.test('mark layouts', async (t) => {
  for (const bad of [0, 1, 0xf, 0xf0f0, 0x8000_0001]) t.equal(markLayout(bad), undefined, bad.toString(16))
  for (const mask of [DEFAULT_MARK_MASK, 0x1f, 0xff, 0x00ff_0000, 0xffff_ffff, 0xf800_0000]) {
    const layout = markLayout(mask)
    if (!layout) return t.fail(mask.toString(16))
    const { esp, ah, forwarded, classes } = layout
    t.equal((esp.mask | ah.mask | forwarded) >>> 0, mask, 'all bits')
    t.equal(esp.mask & ah.mask, 0)
    t.equal((esp.mask | ah.mask) & forwarded, 0)
    t.equal(classes, (esp.mask | ah.mask) >>> 0)
    for (const field of [esp, ah]) {
      t.equal(inField(field, field.unclassed), field.mask)
      t.equal(field.capacity, field.unclassed - 1)
      t.ok(field.capacity >= 2)
    }
  }
})
