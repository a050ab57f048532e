/**
 * A security association as one who only looks needs it: algorithms and keys, without window, lifetime or policy.
 *
 * @module
 */
import type { XfrmAttributes } from '../../netlink/xfrm/attributes.ts'
import { mode, proto, stateFlag } from '../../netlink/xfrm/constants.ts'
import { keyedAlgorithms, wipeKeys } from '../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { UsersaInfo } from '../../netlink/xfrm/structs.ts'
import type { EspTransform, KeyedMac } from '../datapath/software/crypto/esp-transform.ts'
import { espTransform, keyMac, UnsupportedAlgorithmError } from '../datapath/software/crypto/keying.ts'
import { cryptoBackend } from '../datapath/software/crypto/select.ts'
import { type AlgorithmTable, algorithmByNumber, PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import type { SecurityAssociation } from '../model/association.ts'
import { newState } from '../translate/associations.ts'
import { type IdentifiedAlgorithm, identify } from '../translate/kernel-algorithms.ts'

/** An SA in XFRM's terms. */
export type SaMessage = Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>

export class ViewedSa {
  readonly protocol: 'ah' | 'esp'
  readonly body: UsersaInfo
  readonly attributes: XfrmAttributes
  readonly isTunnel: boolean
  readonly isExtended: boolean
  /** Wrong keys can be told from right ones. */
  readonly hasIntegrity: boolean
  readonly encryption: string | undefined
  readonly authentication: string | undefined
  /** Highest number that is known to have been used, and that of the last packet that was opened. */
  readonly startNumber: number
  lastNumber: number
  #transform: EspTransform | undefined
  #mac: KeyedMac | undefined
  /** Keying was tried, and why it failed. */
  #isUnsupported = false

  constructor({ body, attributes }: SaMessage, names: { encryption?: string; authentication?: string }) {
    const { replay_esn_val: large, alg_aead, alg_auth, alg_auth_trunc } = attributes
    this.protocol = body.id.proto === proto.AH ? 'ah' : 'esp'
    this.body = body
    this.attributes = attributes
    this.isTunnel = body.mode === mode.TUNNEL
    this.isExtended = (body.flags & stateFlag.ESN) !== 0
    const mac = alg_auth_trunc ?? alg_auth
    this.hasIntegrity = alg_aead !== undefined || (mac !== undefined && mac.alg_name !== 'digest_null')
    this.encryption = names.encryption
    this.authentication = names.authentication
    this.startNumber = large
      ? Math.max(large.seq_hi * 2 ** 32 + large.seq, large.oseq_hi * 2 ** 32 + large.oseq)
      : 0
    this.lastNumber = this.startNumber
  }

  /** ESP's transform, keyed at the first packet; `undefined` where it cannot be had. */
  get transform(): EspTransform | undefined {
    if (!this.#transform)
      this.#key(() => (this.#transform = espTransform(this.attributes, 'decrypt', cryptoBackend())))
    return this.#transform
  }

  /** AH's code, likewise. */
  get mac(): KeyedMac | undefined {
    if (!this.#mac) this.#key(() => (this.#mac = keyMac(this.attributes, cryptoBackend())))
    return this.#mac
  }

  #key(make: () => void): void {
    const { body } = this
    if (body.mode !== mode.TUNNEL && body.mode !== mode.TRANSPORT) this.#isUnsupported = true
    if (this.#isUnsupported) return
    try {
      make()
    } catch (error) {
      if (!(error instanceof UnsupportedAlgorithmError)) throw error
      this.#isUnsupported = true
    }
  }

  /** Forgets the keys. */
  destroy(): void {
    this.#isUnsupported = true
    this.#transform?.destroy()
    this.#mac?.mac.destroy()
    this.#transform = undefined
    this.#mac = undefined
    wipeKeys(this)
  }
}

/**
 * An SA as a dump has it, whoever made it.
 *
 * @returns `undefined` for what is not AH or ESP, is larval, or has its keys hidden by a locked-down kernel
 */
export function saFromDump(message: SaMessage, table: AlgorithmTable): ViewedSa | undefined {
  const { body, attributes } = message
  const algorithms = keyedAlgorithms(attributes)
  if (body.id.proto !== proto.ESP && body.id.proto !== proto.AH) return undefined
  if (body.id.spi === 0 || algorithms.length === 0 || algorithms.some(isBlank)) return undefined
  const encryption = body.id.proto === proto.ESP ? encryptionName(attributes, table) : undefined
  const authentication = authenticationName(attributes, table)
  return new ViewedSa(message, {
    ...(encryption !== undefined && { encryption }),
    ...(authentication !== undefined && { authentication }),
  })
}

/** Under lockdown the kernel dumps as many zeros as the key has bytes. */
function isBlank({ alg_key }: { readonly alg_key: Uint8Array }): boolean {
  return alg_key.length > 0 && alg_key.every((byte) => byte === 0)
}

function encryptionName({ alg_aead, alg_crypt }: XfrmAttributes, table: AlgorithmTable): string | undefined {
  if (alg_aead) {
    const { alg_name, alg_key_len, alg_icv_len } = alg_aead
    return nameOf(table, PROTOCOL_ESP, identify('aead', alg_name, alg_key_len, alg_icv_len)) ?? alg_name
  }
  const { alg_name, alg_key_len } = alg_crypt ?? { alg_name: 'ecb(cipher_null)', alg_key_len: 0 }
  return nameOf(table, PROTOCOL_ESP, identify('crypt', alg_name, alg_key_len, 0)) ?? alg_name
}

function authenticationName(
  { alg_auth_trunc, alg_auth }: XfrmAttributes,
  table: AlgorithmTable,
): string | undefined {
  const mac = alg_auth_trunc ?? alg_auth
  if (!mac) return undefined
  return nameOf(table, PROTOCOL_AH, identify('auth', mac.alg_name, mac.alg_key_len, 0)) ?? mac.alg_name
}

function nameOf(table: AlgorithmTable, protocol: number, found: IdentifiedAlgorithm | undefined) {
  return found && algorithmByNumber(table, protocol, found.algorithm.number)?.names[0]
}

/**
 * An SA as a key file has it.
 *
 * @throws RangeError where XFRM has no algorithm of that number
 */
export function saFromAssociation(
  association: SecurityAssociation,
  table: AlgorithmTable,
): ViewedSa | undefined {
  const classification = { protectionClass: undefined, marks: undefined, outboundOnly: false }
  return saFromDump(newState(association, classification), table)
}

/** True where both are the same SA with the same keys. */
export function isSameSa(a: SaMessage, b: SaMessage): boolean {
  const keysOf = ({ attributes }: SaMessage) => keyedAlgorithms(attributes)
  const [mine, theirs] = [keysOf(a), keysOf(b)]
  return (
    a.body.family === b.body.family &&
    sameBytes(a.body.id.daddr, b.body.id.daddr) &&
    a.body.mode === b.body.mode &&
    mine.length === theirs.length &&
    mine.every(({ alg_name, alg_key }, index) => {
      const other = theirs[index]
      return other !== undefined && alg_name === other.alg_name && sameBytes(alg_key, other.alg_key)
    })
  )
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
