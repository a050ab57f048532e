/**
 * Kernel policies in plain values, and as lines made from them.
 *
 * @module
 */
import { action, dir, mode, proto } from '../../netlink/xfrm/constants.ts'
import type { Selector } from '../../netlink/xfrm/structs.ts'
import { formatPrefix } from '../model/address.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { readAddress } from '../translate/selectors.ts'
import type { InstalledPolicy } from './plan.ts'

const DIRECTIONS: Readonly<Record<number, string>> = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' }

/** A kernel policy in plain values: for JSON, and for lines made from it. */
export interface PlainPolicy {
  readonly dir: string
  readonly source: string
  readonly destination: string
  readonly protocol: number
  readonly sourcePort: string
  readonly destinationPort: string
  readonly ifindex: number
  readonly mark?: string
  readonly priority: number
  readonly index?: number
  readonly action: 'allow' | 'block'
  readonly templates: readonly {
    readonly protocol: 'esp' | 'ah'
    readonly mode: 'transport' | 'tunnel'
    readonly reqid: number
    readonly optional: boolean
  }[]
}

/** A kernel policy in plain values. */
export function plainPolicy(policy: KernelPolicy | InstalledPolicy): PlainPolicy {
  const info = 'info' in policy ? policy.info : policy
  const { sel, mark } = { sel: info.sel, mark: policy.mark }
  return {
    dir: DIRECTIONS[info.dir] ?? String(info.dir),
    source: end(sel, sel.saddr, sel.prefixlen_s),
    destination: end(sel, sel.daddr, sel.prefixlen_d),
    protocol: sel.proto,
    sourcePort: masked(sel.sport, sel.sport_mask),
    destinationPort: masked(sel.dport, sel.dport_mask),
    ifindex: sel.ifindex,
    ...(mark && { mark: `0x${mark.v.toString(16)}/0x${mark.m.toString(16)}` }),
    priority: info.priority,
    ...('info' in policy && { index: policy.info.index }),
    action: info.action === action.BLOCK ? 'block' : 'allow',
    templates: policy.tmpl.map((tmpl) => ({
      protocol: tmpl.id.proto === proto.AH ? 'ah' : 'esp',
      mode: tmpl.mode === mode.TUNNEL ? 'tunnel' : 'transport',
      reqid: tmpl.reqid,
      optional: tmpl.optional !== 0,
    })),
  }
}

function end({ family }: Selector, bytes: Uint8Array, length: number): string {
  return formatPrefix({ ...readAddress(bytes, family), length })
}

function masked(value: number, mask: number): string {
  if (mask === 0) return 'any'
  return mask === 0xffff ? String(value) : `${value}/0x${mask.toString(16)}`
}

/** One kernel policy as a line. */
export function policyLine(policy: KernelPolicy | InstalledPolicy): string {
  return plainLine(plainPolicy(policy))
}

/** The same of its plain values. */
export function plainLine(plain: PlainPolicy): string {
  const words = [plain.dir, plain.source, '->', plain.destination]
  if (plain.protocol !== 0) words.push('proto', String(plain.protocol))
  if (plain.sourcePort !== 'any') words.push('sport', plain.sourcePort)
  if (plain.destinationPort !== 'any') words.push('dport', plain.destinationPort)
  if (plain.ifindex !== 0) words.push('ifindex', String(plain.ifindex))
  if (plain.mark) words.push('mark', plain.mark)
  words.push('priority', `0x${plain.priority.toString(16)}`, plain.action)
  for (const { protocol, mode: tmplMode, reqid, optional } of plain.templates) {
    words.push(`${protocol}/${tmplMode}/0x${reqid.toString(16)}${optional ? '/optional' : ''}`)
  }
  return words.join(' ')
}
