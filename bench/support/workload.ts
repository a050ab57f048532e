/**
 * The same work for both sides: Solaris files for ours, and `ip -batch` files that give the kernel the very same
 * objects.
 *
 * @module
 */
import type { PlainPolicy } from '../../compat/commands/support/policy-text.ts'

/** A protection that needs ESP with two algorithms, as most hosts have it. */
const PROPERTIES = 'encr_algs aes encr_auth_algs sha256 sa shared'

/** A policy file of symmetric rules between this host and as many others. */
export function policyFile(rules: number): string {
  return Array.from(
    { length: rules },
    (_, i) => `{ laddr 10.0.0.1 raddr ${peer(i)} } ipsec { ${PROPERTIES} }\n`,
  ).join('')
}

/** The same file with another protection in some of its rules, evenly spread. */
export function changedPolicyFile(rules: number, changes = 1): string {
  const lines = policyFile(rules).split('\n')
  for (let i = 0; i < changes; i++) {
    const place = Math.floor(((i + 0.5) * rules) / changes)
    lines[place] =
      `{ laddr 10.0.0.1 raddr ${peer(place)} } ipsec { encr_algs aes encr_auth_algs sha512 sa shared }`
  }
  return lines.join('\n')
}

/** The `n`th of 16 million other hosts. None ends in 0, which would look like a network and earn a warning. */
function peer(n: number): string {
  return `10.${1 + Math.floor(n / 64_000)}.${Math.floor(n / 250) % 256}.${1 + (n % 250)}`
}

/** `ip -batch` lines that add policies. @throws Error for what ip(8) cannot say */
export function policyBatch(policies: readonly PlainPolicy[]): string {
  return policies.map((policy) => `${policyWords(policy).join(' ')}\n`).join('')
}

function policyWords(policy: PlainPolicy): string[] {
  const { dir, source, destination, protocol, priority, action, mark } = policy
  const words = ['xfrm policy add', 'src', source, 'dst', destination]
  if (protocol !== 0) words.push('proto', String(protocol), ...portWords(policy))
  words.push('dir', dir)
  if (mark) words.push('mark', ...mark.split('/').flatMap((part, i) => (i === 0 ? [part] : ['mask', part])))
  words.push('priority', String(priority), 'action', action)
  for (const { protocol: proto, mode, reqid, optional } of policy.templates) {
    words.push('tmpl', 'proto', proto, 'mode', mode, 'reqid', String(reqid))
    if (optional) words.push('level', 'use')
  }
  return words
}

function portWords({ protocol, sourcePort, destinationPort }: PlainPolicy): string[] {
  const [first, second] = protocol === 1 || protocol === 58 ? ['type', 'code'] : ['sport', 'dport']
  const words: string[] = []
  for (const [name, value] of [
    [first, sourcePort],
    [second, destinationPort],
  ] as const) {
    if (value === 'any') continue
    if (value.includes('/')) throw new Error(`ip(8) has no masks for ports: ${value}`)
    words.push(name, value)
  }
  return words
}

/** Parameters of one manual SA. */
interface ManualSa {
  readonly source: string
  readonly destination: string
  readonly spi: number
  /** Hexadecimal digits. */
  readonly cipherKey: string
  readonly authKey: string
}

function manualSas(count: number): ManualSa[] {
  return Array.from({ length: count }, (_, i) => {
    const outbound = i % 2 === 0
    const other = peer(i >> 1)
    const digits = (i + 0x1_0000).toString(16).padStart(8, '0')
    return {
      source: outbound ? '10.0.0.1' : other,
      destination: outbound ? other : '10.0.0.1',
      spi: 0x1000 + i,
      cipherKey: `${digits}0f1e2d3c4b5a69788796a5b4`,
      authKey: `${digits}c3d2e1f0`.repeat(4),
    }
  })
}

/** A key file of manual ESP SAs, in pairs. */
export function keyFile(count: number): string {
  return manualSas(count)
    .map(
      ({ source, destination, spi, cipherKey, authKey }) =>
        `add esp spi 0x${spi.toString(16)} src ${source} dst ${destination} ` +
        `encr_alg aes auth_alg sha256 encrkey ${cipherKey} authkey ${authKey}\n`,
    )
    .join('')
}

/** The JSON document of so many rules, and as many SAs, of which each rule of the first half has a pair. */
export function document(size: number): string {
  const policies = Array.from({ length: size }, (_, i) => ({
    local: '10.0.0.1',
    remote: peer(i),
    protect: { encryption: 'aes', authentication: 'sha256' },
  }))
  const associations = manualSas(size).map(({ source, destination, spi, cipherKey, authKey }) => ({
    protocol: 'esp',
    spi,
    source,
    destination,
    encryption: { algorithm: 'aes', key: cipherKey },
    authentication: { algorithm: 'sha256', key: authKey },
  }))
  return JSON.stringify({ policies, associations })
}

/** The reqid that solipsec gives ESP SAs which serve no rule. */
const UNCLASSED = 0x5000_0000

/** `ip -batch` lines that add the same SAs as {@link keyFile} does. */
export function stateBatch(count: number): string {
  return manualSas(count)
    .map(
      ({ source, destination, spi, cipherKey, authKey }) =>
        `xfrm state add src ${source} dst ${destination} proto esp spi 0x${spi.toString(16)} mode transport ` +
        `reqid ${UNCLASSED} enc cbc(aes) 0x${cipherKey} auth-trunc hmac(sha256) 0x${authKey} 128\n`,
    )
    .join('')
}
