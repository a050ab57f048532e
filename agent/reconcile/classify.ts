/**
 * Keeps the SAs that we installed in the protection classes of the rules in force.
 *
 * @module
 */
import { stateFlag } from '../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { sameAddress } from '../model/address.ts'
import type { OutboundAssociation } from '../translate/choice.ts'
import type { ClassTable } from '../translate/classes.ts'
import { fieldOf, inField, type MarkLayout } from '../translate/marks.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import { type AssociationFacts, isOutboundOnly, knownAssociation } from './association-status.ts'
import { isOurState } from './ownership.ts'
import type { Step } from './steps.ts'

/** The SAs that outbound policies can choose from, with their classes. */
export function outboundAssociations(
  associations: readonly KernelAssociation[],
  classes: ClassTable,
  { localAddresses }: AssociationFacts,
): OutboundAssociation[] {
  const outbound: OutboundAssociation[] = []
  for (const { association, content, reqid } of associations) {
    const protectionClass = isOurState(reqid) ? classes.classOf(content) : undefined
    if (!protectionClass || localAddresses.some((own) => sameAddress(own, association.destination))) continue
    outbound.push({ source: association.source, destination: association.destination, protectionClass })
  }
  return outbound
}

/**
 * Steps that give each SA of ours the reqid and mark of its class. The kernel cannot change a reqid, so such an
 * SA is deleted and added again with its counters, between two messages of one batch: packets in between find
 * no SA and are dropped, not sent in clear.
 *
 * @throws HiddenKeysError where an SA has to be added again but the kernel does not show its keys
 */
export function classifySteps(
  associations: readonly KernelAssociation[],
  classes: ClassTable,
  marks: MarkLayout | undefined,
  facts: AssociationFacts,
): Step[] {
  return associations
    .filter(({ reqid }) => isOurState(reqid))
    .flatMap((one) => {
      const { protocol } = one.association
      const protectionClass = classes.classOf(one.content)
      // An SA that serves no rule keeps the reqid it has: a class that bears this number would be one whose
      // requirements it satisfies, so no rule can take it by mistake.
      const reqid = protectionClass?.reqid ?? one.reqid
      const marking =
        marks && !isOutboundOnly(knownAssociation(one.association, facts), facts.localAddresses)
          ? markFor(marks, protocol, protectionClass?.colour)
          : undefined
      if (one.reqid !== reqid) return recreate(one, reqid, marking)
      return sameMark(one.setMark, marking) ? [] : [remark(one, marking)]
    })
}

type Marking = NonNullable<KernelAssociation['setMark']>

function markFor(marks: MarkLayout, protocol: 'esp' | 'ah', colour: number | undefined): Marking {
  const field = fieldOf(marks, protocol)
  return { value: inField(field, colour ?? field.unclassed), mask: field.mask }
}

function sameMark(a: Marking | undefined, b: Marking | undefined): boolean {
  return (a?.value ?? 0) === (b?.value ?? 0) && (a?.mask ?? 0) === (b?.mask ?? 0)
}

function remark({ state }: KernelAssociation, marking: Marking | undefined): Step {
  const update = (from: Marking | undefined): XfrmMessage => ({
    name: 'UPDSA',
    body: state.body,
    attributes: { ...settable(state.attributes), ...markAttributes(from) },
  })
  const { set_mark, set_mark_mask = 0xffff_ffff } = state.attributes
  const old = set_mark === undefined ? undefined : { value: set_mark, mask: set_mark_mask }
  // A mark cannot be taken away again, but one without bits does nothing.
  const none = { value: 0, mask: old?.mask ?? 0 }
  return { kind: 'message', message: update(marking ?? none), undo: update(old ?? { value: 0, mask: 0 }) }
}

function recreate(one: KernelAssociation, reqid: number, marking: Marking | undefined): Step[] {
  const { state, association } = one
  if (one.keysHidden) throw new HiddenKeysError(association.spi)
  const add = (reqidOf: number, mark: Marking | undefined): XfrmMessage => ({
    name: 'NEWSA',
    body: { ...state.body, reqid: reqidOf },
    attributes: {
      ...settable(state.attributes),
      ...onwards(state, SEQUENCE_LEAP),
      ltime_val: state.body.curlft,
      ...markAttributes(mark),
    },
  })
  const { id, family } = state.body
  const remove: XfrmMessage = {
    name: 'DELSA',
    body: { daddr: id.daddr, spi: id.spi, family, proto: id.proto },
    attributes: {},
  }
  return [
    { kind: 'message', message: remove, undo: add(one.reqid, one.setMark) },
    { kind: 'message', message: add(reqid, marking), undo: remove },
  ]
}

/** How far sequence numbers move on when an SA is made again: packets may pass between its dump and its deletion. */
const SEQUENCE_LEAP = 4096

const NUMBERS = 2 ** 32

/**
 * Counters beyond those of a dump: no number is used twice, nothing that was received can be replayed. Where numbers
 * end, the SA ends with them.
 */
function onwards({ body, attributes }: State, leap: number): XfrmMessage<'NEWSA'>['attributes'] {
  const { replay_val: classic, replay_esn_val: large } = attributes
  const leapt = (sequence: number) => (sequence === 0 && leap === SEQUENCE_LEAP ? 0 : sequence + leap)
  const within = (sequence: number) => Math.min(leapt(sequence), NUMBERS - 1)
  const full = (seq: number) => (seq === 0 ? 0 : NUMBERS - 1)
  const sent = large && leapt(large.oseq)
  const carries = sent !== undefined && sent >= NUMBERS && (body.flags & stateFlag.ESN) !== 0
  return {
    ...(classic && { replay_val: { ...classic, oseq: within(classic.oseq), bitmap: full(classic.seq) } }),
    ...(large && {
      replay_esn_val: {
        ...large,
        oseq: carries ? sent - NUMBERS : within(large.oseq),
        oseq_hi: large.oseq_hi + (carries ? 1 : 0),
        bmp: large.bmp.map(() => full(large.seq)),
      },
    }),
  }
}

type State = Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>

/**
 * The message that makes, or resets, a state as it was dumped. One that is made anew begins beyond the sequence numbers
 * of the dump: it may have been used since.
 *
 * @param leap by how many numbers
 */
export function restorableState(
  name: 'NEWSA' | 'UPDSA',
  state: State,
  leap: number = SEQUENCE_LEAP,
): XfrmMessage<'NEWSA' | 'UPDSA'> {
  const { body, attributes } = state
  const { set_mark, set_mark_mask } = attributes
  const mark = {
    ...(set_mark !== undefined && { set_mark }),
    ...(set_mark_mask !== undefined && { set_mark_mask }),
  }
  const numbers = name === 'NEWSA' ? onwards(state, leap) : {}
  return { name, body, attributes: { ...settable(attributes), ...numbers, ltime_val: body.curlft, ...mark } }
}

function markAttributes(marking: Marking | undefined): XfrmMessage<'NEWSA'>['attributes'] {
  return marking ? { set_mark: marking.value, set_mark_mask: marking.mask } : {}
}

/** What a dumped SA can be made of again: without what the kernel adds, or says twice. */
export function settable(attributes: XfrmMessage<'NEWSA'>['attributes']): XfrmMessage<'NEWSA'>['attributes'] {
  const { lastused, pad, ltime_val, alg_auth, set_mark, set_mark_mask, unknown, ...rest } = attributes
  return alg_auth && !rest.alg_auth_trunc ? { ...rest, alg_auth } : rest
}

/** The kernel is locked down and shows no keys, so an SA cannot be moved to another class. */
export class HiddenKeysError extends Error {
  constructor(spi: number) {
    super(
      `the kernel hides the keys of the SA with spi 0x${spi.toString(16)} (lockdown), so it cannot be moved to ` +
        `the protection class that the new rules need; delete it, apply the rules, and add it again`,
    )
    this.name = 'HiddenKeysError'
  }
}
