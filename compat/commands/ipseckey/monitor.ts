/**
 * `monitor` and `passive_monitor`: what happens to SAs, as it happens, until interrupted.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import {
  type AssociationChange,
  type AssociationEvent,
  watchAssociations,
} from '../../../agent/reconcile/association-events.ts'
import { acquireJson, associationJson } from '../../solaris/ipseckey/print/json.ts'
import {
  formatAcquire,
  formatBare,
  formatMessage,
  formatTimestamp,
  type MessageType,
  monitorHeading,
  type PrintOptions,
} from '../../solaris/ipseckey/print/message.ts'
import { acquireLength, BARE_LENGTH, messageLength } from '../../solaris/ipseckey/print/message-length.ts'
import { aborted } from '../support/aborted.ts'
import type { Execution } from './execute.ts'
import { printOptions } from './show.ts'

const OVERRUN = 'Events were lost, for there were too many at a time. A dump shows what is there now.'

/** @param passive leaves out the kernel's requests for SAs */
export async function monitor(passive: boolean, execution: Execution): Promise<void> {
  const { io, request, algorithms } = execution
  const interrupted = execution.interrupted ?? io.interrupted
  const print = (text: string) => {
    io.stdout.write(text)
    io.stdout.flush()
  }
  const now = () => BigInt(Math.floor(Date.now() / 1000))
  if (!request.json) print(monitorHeading(passive))
  const subscription = watchAssociations(!passive, {
    event: (event) => {
      if (request.json) print(`${JSON.stringify(eventJson(event, algorithms, now()))}\n`)
      else print(`${eventText(event, { ...printOptions(execution), now: now() })}\n`)
    },
    overrun: () => {
      if (request.json) print(`${JSON.stringify({ time: Number(now()), event: 'OVERRUN' })}\n`)
      else io.stderr.write(`${OVERRUN}\n`)
    },
  })
  try {
    await aborted(interrupted)
  } finally {
    subscription.close()
  }
}

/** The PF_KEY messages (RFC 2367) that say the same. */
const TYPES: Readonly<Record<AssociationChange, MessageType>> = {
  added: 'ADD',
  updated: 'UPDATE',
  deleted: 'DELETE',
  'soft-expired': 'EXPIRE',
  'hard-expired': 'EXPIRE',
}

/** The kernel numbers no events; only its requests for SAs have a number to answer under. */
const NO_SEQUENCE = 0

function eventText(event: AssociationEvent, options: PrintOptions & { readonly now: bigint }): string {
  return `${formatTimestamp(options.now, lengthOf(event))}${messageText(event, options)}`
}

/** Not of what came over netlink, but of the message that PF_KEY would have brought. */
function lengthOf(event: AssociationEvent): number {
  switch (event.kind) {
    case 'flushed':
      return BARE_LENGTH
    case 'wanted':
      return acquireLength(event.acquire)
    default:
      return messageLength(event.status)
  }
}

function messageText(event: AssociationEvent, options: PrintOptions): string {
  const pid = event.portId
  switch (event.kind) {
    case 'flushed':
      return formatBare({ type: 'FLUSH', sequence: NO_SEQUENCE, pid }, event.protocol ?? 'all')
    case 'wanted':
      return formatAcquire({ type: 'ACQUIRE', sequence: event.sequence, pid }, event.acquire, options)
    default:
      return formatMessage({ type: TYPES[event.kind], sequence: NO_SEQUENCE, pid }, event.status, options)
  }
}

function eventJson(event: AssociationEvent, algorithms: AlgorithmTable, now: bigint): object {
  const heading = { time: Number(now), pid: event.portId }
  switch (event.kind) {
    case 'flushed':
      return { ...heading, event: 'FLUSH', protocol: event.protocol ?? 'all' }
    case 'wanted':
      return { ...heading, event: 'ACQUIRE', sequence: event.sequence, ...acquireJson(event.acquire) }
    default: {
      const hard = event.kind.endsWith('expired') && { hard: event.kind === 'hard-expired' }
      return {
        ...heading,
        event: TYPES[event.kind],
        ...hard,
        association: associationJson(event.status, algorithms),
      }
    }
  }
}
