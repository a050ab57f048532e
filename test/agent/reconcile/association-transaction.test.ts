import t from 'tap'
import type { SaTarget, SecurityAssociation } from '../../../agent/model/association.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { AssociationError } from '../../../agent/reconcile/association-checks.ts'
import { AssociationTransaction } from '../../../agent/reconcile/association-transaction.ts'
import { messageOf, type Step } from '../../../agent/reconcile/steps.ts'
import { buildClasses } from '../../../agent/translate/classes.ts'
import { type KernelAssociation, readState } from '../../../agent/translate/read-association.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { address } from '../../support/address.ts'
import { aesAssociation, NO_LIMIT } from '../model/associations.ts'

const [HERE, THERE] = [address('192.0.2.1'), address('192.0.2.2')]
const FACTS = { classes: buildClasses([], defaultAlgorithmTable), marks: undefined, localAddresses: [HERE] }

const sa = (spi: number, outbound: boolean, more: Partial<SecurityAssociation> = {}) =>
  aesAssociation(spi, outbound ? [HERE, THERE] : [THERE, HERE], more)

function target(spi: number, outbound: boolean, more: Partial<SaTarget> = {}): SaTarget {
  const destination = outbound ? THERE : HERE
  return { protocol: 'esp', spi, destination, upperProtocol: 0, sourcePort: 0, destinationPort: 0, ...more }
}

const begin = (installed: readonly KernelAssociation[] = [], notes = new Map()) =>
  new AssociationTransaction(installed, notes, FACTS)

/** SAs as the kernel would have them after the transaction; those of others bear another reqid. */
function installed(transaction: AssociationTransaction, reqid?: number): KernelAssociation[] {
  return transaction.steps.flatMap((step) => {
    const message = messageOf(step) as XfrmMessage<'NEWSA'>
    const body = reqid === undefined ? message.body : { ...message.body, reqid }
    return message.name === 'NEWSA' ? (readState({ ...message, body }) ?? []) : []
  })
}

const names = (steps: readonly Step[]) => steps.map((step) => messageOf(step).name)
const undoNames = (steps: readonly Step[]) => steps.map((step) => undoOf(step)?.name)

function undoOf(step: Step): XfrmMessage | undefined {
  return step.kind === 'message' ? step.undo : undefined
}

t.test('add, get, delete, flush', async (t) => {
  const first = begin()
  first.add(sa(0x100, true))
  first.add(sa(0x200, false))
  first.add(sa(0x100, true, { protocol: 'ah', encrAlgorithm: 0 }))
  t.throws(() => first.add(sa(0x100, true)), {
    name: 'AssociationError',
    errno: 'EEXIST',
    message: /spi 0x100 and addr\n192\.0\.2\.2 already exists\.$/,
  })
  t.same(names(first.steps), ['NEWSA', 'NEWSA', 'NEWSA'])
  t.same(undoNames(first.steps), ['DELSA', 'DELSA', 'DELSA'])
  const second = begin(installed(first))
  t.equal(second.get(target(0x200, false)).spi, 0x200)
  second.delete(target(0x200, false), false)
  t.throws(() => second.get(target(0x200, false)), { name: 'AssociationError', errno: 'ESRCH' })
  second.add(sa(0x200, false))
  second.flush('ah', false)
  second.flush(undefined, false)
  t.same(names(second.steps), ['DELSA', 'NEWSA', 'DELSA', 'DELSA', 'DELSA'])
  t.same(undoNames(second.steps), ['NEWSA', 'DELSA', 'NEWSA', 'NEWSA', 'NEWSA'])
  t.throws(() => second.delete(target(0x100, true), false), { name: 'AssociationError', errno: 'ESRCH' })
})

t.test('what a target says must fit', async (t) => {
  const transaction = begin()
  transaction.add(sa(0x100, true, { upperProtocol: 6, sourcePort: 22 }))
  for (const wrong of [
    { source: THERE },
    { upperProtocol: 17 },
    { destinationPort: 1 },
    { protocol: 'ah' },
  ] as const)
    t.throws(
      () => transaction.get(target(0x100, true, wrong)),
      { name: 'AssociationError', errno: 'ESRCH' },
      JSON.stringify(wrong),
    )
  t.ok(transaction.get(target(0x100, true, { source: HERE, upperProtocol: 6, sourcePort: 22 })))
})

t.test('SAs of other programs are left alone unless asked for', async (t) => {
  const others = begin()
  others.add(sa(0x100, true))
  const transaction = begin(installed(others, 7))
  t.throws(() => transaction.delete(target(0x100, true), false), {
    name: 'AssociationError',
    errno: 'EPERM',
    message: /belongs to another program/,
  })
  transaction.flush(undefined, false)
  t.same(transaction.steps, [])
  t.ok(transaction.get(target(0x100, true)))
  transaction.flush(undefined, true)
  t.same(names(transaction.steps), ['DELSA'])
})

t.test('pairs: made, found, refused, parted', async (t) => {
  const transaction = begin()
  t.throws(
    () => transaction.add(sa(0x200, false, { pairSpi: 0x100 })),
    { name: 'AssociationError', errno: 'EINVAL', diagnostic: 76 },
    'no such SA',
  )
  transaction.add(sa(0x100, true))
  transaction.add(sa(0x300, true))
  transaction.add(sa(0x200, false, { pairSpi: 0x100 }))
  t.equal(transaction.get(target(0x100, true)).pairSpi, 0x200, 'either knows the other')
  t.throws(
    () => transaction.add(sa(0x201, false, { pairSpi: 0x100 })),
    { name: 'AssociationError', diagnostic: 75 },
    'it has one',
  )
  t.throws(
    () => transaction.add(sa(0x400, true, { pairSpi: 0x100 })),
    { name: 'AssociationError', diagnostic: 74 },
    'the same way',
  )
  t.same([...transaction.notes.keys()].length, 2)
  transaction.update(target(0x100, true), { hard: { bytes: 9n } }, true)
  t.same(
    [transaction.get(target(0x100, true)).hard.bytes, transaction.get(target(0x200, false)).hard.bytes],
    [9n, 9n],
  )
  transaction.delete(target(0x200, false), false)
  t.equal(transaction.get(target(0x100, true)).pairSpi, undefined, 'its half is gone')
  t.same([...transaction.notes.keys()], [])
  transaction.update(target(0x300, true), { hard: { addTime: 60n } }, false)
  transaction.add(sa(0x200, false, { pairSpi: 0x300 }))
  transaction.deletePair(target(0x300, true), false)
  t.throws(() => transaction.get(target(0x200, false)), AssociationError)
})

t.test('a refused change leaves nothing behind', async (t) => {
  const transaction = begin()
  transaction.add(sa(0x100, true))
  const before = transaction.steps.length
  for (const bad of [sa(0x100, true), sa(0x200, false, { pairSpi: 0x999 })])
    t.throws(() => transaction.add(bad))
  for (const changes of [
    { soft: { bytes: 10n }, hard: { bytes: 9n } },
    { replayWindow: 64 },
    { state: 'dead' as const },
  ])
    t.throws(() => transaction.update(target(0x100, true), changes, false), {
      name: 'AssociationError',
      errno: 'EINVAL',
    })
  t.equal(transaction.steps.length, before)
  t.equal(transaction.get(target(0x100, true)).hard.bytes, 0n)
})

t.test('limits: 0 takes one away, and has no end in the kernel', async (t) => {
  const transaction = begin()
  transaction.add(
    sa(0x100, true, { hard: { ...NO_LIMIT, bytes: 1000n }, soft: { ...NO_LIMIT, bytes: 900n } }),
  )
  t.throws(() => transaction.update(target(0x100, true), { soft: { bytes: 1001n } }, false), {
    name: 'AssociationError',
    diagnostic: 15,
  })
  transaction.update(target(0x100, true), { hard: { bytes: 0n } }, false)
  const last = transaction.steps.at(-1)
  const message = last && (messageOf(last) as XfrmMessage<'UPDSA'>)
  t.equal(message?.name, 'UPDSA')
  t.equal(message?.body.lft.hard_byte_limit, 2n ** 64n - 1n)
  t.equal(message?.body.lft.soft_byte_limit, 900n)
  const back = last && (undoOf(last) as XfrmMessage<'UPDSA'>)
  t.equal(back?.body.lft.hard_byte_limit, 1000n)
})
