/**
 * ARP (RFC 826) and RARP (RFC 903), for IPv4.
 *
 * @module
 */
import { read16 } from '../../../../agent/packet/octets.ts'
import { add, addBroken, type Context, lack } from './layer.ts'
import { ethertypeText } from './protocols.ts'
import { addressAndName, etherText, hostText } from './text.ts'

const FIXED_LENGTH = 8
const OPERATIONS = ['', 'ARP Request', 'ARP Reply', 'REVARP Request', 'REVARP Reply']
const TITLE = 'ARP/RARP Frame'

/** Decodes an ARP or RARP packet at `at`. */
export function decodeArp(context: Context, name: 'ARP' | 'RARP', at: number, end: number): void {
  const { bytes, options } = context
  const wrong = lack(context, at, FIXED_LENGTH, end)
  if (wrong !== undefined) {
    addBroken(context, name, TITLE, wrong)
    return
  }
  const hardwareLength = bytes[at + 4] ?? 0
  const operation = read16(bytes, at + 6)
  const details = [
    `Hardware type = ${read16(bytes, at)}${read16(bytes, at) === 1 ? ' (Ethernet)' : ''}`,
    `Protocol type = ${ethertypeText(read16(bytes, at + 2))}`,
    `Length of hardware address = ${hardwareLength} bytes`,
    `Length of protocol address = ${bytes[at + 5] ?? 0} bytes`,
    `Opcode ${operation} (${OPERATIONS[operation] || 'unknown'})`,
  ]
  if (bytes[at + 5] !== 4) {
    const odd = `${name} [malformed: protocol addresses of ${bytes[at + 5]} bytes]`
    add(context, name, TITLE, odd, details)
    return
  }
  const senderAt = at + FIXED_LENGTH
  const senderIpAt = senderAt + hardwareLength
  const targetAt = senderIpAt + 4
  const targetIpAt = targetAt + hardwareLength
  const cut = lack(context, at, targetIpAt + 4 - at, end)
  if (cut !== undefined) {
    add(context, name, TITLE, `${name} ${cut}`, [...details, cut])
    return
  }
  const sender = addressAndName(bytes, senderIpAt, 4, options)
  const target = addressAndName(bytes, targetIpAt, 4, options)
  const senderEther = etherText(bytes, senderAt, Math.max(1, hardwareLength))
  const targetEther = etherText(bytes, targetAt, Math.max(1, hardwareLength))
  context.source = operation === 3 ? senderEther : hostText(bytes, senderIpAt, 4, options)
  if (context.destination === '*') {
    context.destination = operation === 4 ? targetEther : hostText(bytes, targetIpAt, 4, options)
  }
  add(context, name, TITLE, summary(operation, { sender, target, senderEther, targetEther }), [
    ...details,
    `Sender's hardware address = ${senderEther}`,
    `Sender's protocol address = ${sender}`,
    `Target hardware address = ${operation === 1 ? '?' : targetEther}`,
    `Target protocol address = ${operation === 3 ? '?' : target}`,
  ])
}

interface Parties {
  readonly sender: string
  readonly target: string
  readonly senderEther: string
  readonly targetEther: string
}

function summary(operation: number, { sender, target, senderEther, targetEther }: Parties): string {
  switch (operation) {
    case 1:
      return `ARP C Who is ${target} ?`
    case 2:
      return `ARP R ${sender} is ${senderEther}`
    case 3:
      return `RARP C Who is ${targetEther} ?`
    case 4:
      return `RARP R ${targetEther} is ${target}`
    default:
      return `ARP Opcode ${operation}`
  }
}
