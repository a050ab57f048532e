/**
 * The tables of `solipsec status`: what stands in them, and what goes where there is no room.
 *
 * @module
 */
import { formatSpi } from '../../../../agent/model/association.ts'
import { LOSS_WORDS } from '../../../../agent/status/losses.ts'
import type { Rate } from '../../../../agent/status/rates.ts'
import {
  type AssociationReport,
  associationKey,
  carriedBy,
  type RuleReport,
} from '../../../../agent/status/report.ts'
import { refusedBy } from '../../../../agent/status/totals.ts'
import { bitRateText, bytesText, durationText, rateText } from '../../support/quantities.ts'
import type { Column } from '../../support/table.ts'

const RED = '31'
const YELLOW = '33'
const DIM = '2'
const NOTHING = '-'
/** With less to go than this an SA is shown in another colour. */
const SOON_SECONDS = 300

/** @param rules all of them: what nobody counts has no column */
export function ruleColumns(now: number, rules: readonly RuleReport[]): Column<RuleReport>[] {
  const counts: Column<RuleReport>[] = [
    {
      title: 'BYTES',
      isNumber: true,
      text: (rule) => shown(carriedBy(rule)?.bytes, bytesText),
      expendable: 2,
    },
    {
      title: 'PACKETS',
      isNumber: true,
      text: (rule) => shown(carriedBy(rule)?.packets, String),
      expendable: 3,
    },
  ]
  return [
    {
      title: 'INDEX',
      isNumber: true,
      text: ({ index, tunnel }) => (tunnel ? `${tunnel},${index}` : String(index)),
    },
    { title: 'USED', isNumber: true, text: ({ lastUsed }) => agoText(now, lastUsed) },
    ...(rules.some(carriedBy) ? counts : []),
    {
      title: 'IN FORCE',
      text: ({ entries, lacks = [] }) => {
        const inForce = entries.filter(({ policies }) => policies > 0).length
        const share = inForce === entries.length ? 'yes' : `${inForce} of ${entries.length}`
        return lacks.length === 0 ? share : `${share}, no SA${lacks.length > 1 ? '' : ` ${lacks[0]}`}`
      },
      colour: ({ entries, lacks }) =>
        entries.some(({ policies }) => policies === 0) ? RED : lacks ? YELLOW : undefined,
    },
    { title: 'FROM', text: ({ file, line }) => `${file}:${line}`, expendable: 1, mayBeCut: true },
    { title: 'RULE', text: ({ text }) => text, mayBeCut: true },
  ]
}

export function associationColumns(
  now: number,
  rates: ReadonlyMap<string, Rate> | undefined,
): Column<AssociationReport>[] {
  const rate = (sa: AssociationReport) => rates?.get(associationKey(sa))
  const rateColumns: Column<AssociationReport>[] = [
    {
      title: 'PACKETS/S',
      isNumber: true,
      expendable: 3,
      text: (sa) => shown(rate(sa)?.packetsPerSecond, rateText),
    },
    { title: 'RATE', isNumber: true, text: (sa) => shown(rate(sa)?.bitsPerSecond, bitRateText) },
  ]
  return [
    { title: 'DIR', text: ({ direction }) => direction ?? NOTHING },
    { title: 'SPI', text: ({ spi }) => formatSpi(spi) },
    { title: 'KIND', text: kindText, expendable: 4 },
    { title: 'SOURCE', text: ({ source }) => source },
    { title: 'DESTINATION', text: ({ destination }) => destination },
    { title: 'ALGORITHMS', text: algorithmsText, expendable: 6 },
    { title: 'FOR', text: ({ selector = 'all' }) => selector, expendable: 9, mayBeCut: true },
    {
      title: 'STATE',
      text: ({ state, servesNoRule }) => (servesNoRule ? `${state}, no rule` : state),
      expendable: 5,
      colour: ({ state, servesNoRule }) => (state === 'mature' && !servesNoRule ? undefined : YELLOW),
    },
    { title: 'BYTES', isNumber: true, text: ({ bytes }) => bytesText(bytes) },
    { title: 'PACKETS', isNumber: true, text: ({ packets }) => String(packets), expendable: 2 },
    ...(rates ? rateColumns : []),
    {
      title: 'REFUSED',
      isNumber: true,
      text: (sa) => String(refusedBy(sa)),
      colour: (sa) => (refusedBy(sa) > 0 ? RED : undefined),
      expendable: 1,
    },
    {
      title: 'LEFT',
      isNumber: true,
      text: leftText,
      expendable: 3,
      colour: ({ hard }) => ((hard?.seconds ?? Number.POSITIVE_INFINITY) < SOON_SECONDS ? YELLOW : undefined),
    },
    { title: 'USED', isNumber: true, text: ({ lastUsed }) => agoText(now, lastUsed), expendable: 7 },
    {
      title: 'PAIR',
      text: ({ pair }) => (pair ? `0x${pair.spi.toString(16)}${pair.isThere ? '' : ' gone'}` : NOTHING),
      expendable: 8,
      colour: ({ pair }) => (pair && !pair.isThere ? YELLOW : undefined),
    },
    {
      title: 'OWNER',
      text: ({ owner }) => owner,
      expendable: 10,
      colour: ({ owner }) => (owner === 'other' ? DIM : undefined),
    },
  ]
}

export const lossColumns: readonly Column<readonly [name: string, count: number]>[] = [
  { title: 'PACKETS', isNumber: true, text: ([, count]) => String(count) },
  { title: 'COUNTER', text: ([name]) => name },
  { title: 'THAT', text: ([name]) => LOSS_WORDS[name] ?? 'were lost', mayBeCut: true },
]

function kindText({ protocol, mode, udp }: AssociationReport): string {
  return `${protocol}${udp ? '/udp' : ''} ${mode}`
}

function algorithmsText({ encryption, authentication }: AssociationReport): string {
  return [encryption, authentication].filter((word) => word !== undefined).join(', ') || NOTHING
}

/** Until the end, by time or by bytes. */
function leftText({ hard }: AssociationReport): string {
  if (hard?.seconds !== undefined) return durationText(hard.seconds)
  return hard?.bytes === undefined ? NOTHING : bytesText(hard.bytes)
}

function agoText(now: number, then: number | undefined): string {
  return then === undefined ? NOTHING : durationText(now - then)
}

function shown(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? NOTHING : text(value)
}
