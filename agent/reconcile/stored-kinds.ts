/**
 * Kinds of SAs that sockets are bound to, as they stand in a JSON file.
 *
 * @module
 */
import { formatAddress, parseAddress } from '../model/address.ts'
import type { SaKind } from '../translate/requirements.ts'

export type StoredKind = Omit<SaKind, 'tunnel'> & { readonly local?: string; readonly remote?: string }

export function encodeKind({ tunnel, ...rest }: SaKind): StoredKind {
  if (!tunnel) return rest
  return { ...rest, local: formatAddress(tunnel.local), remote: formatAddress(tunnel.remote) }
}

/** @throws Error where an address is none */
export function decodeKind({ local: localText, remote: remoteText, ...rest }: StoredKind): SaKind {
  if (localText === undefined || remoteText === undefined) return rest
  const [local, remote] = [parseAddress(localText), parseAddress(remoteText)]
  if (!local || !remote) throw new Error(`policy state: ${localText}, ${remoteText} are not addresses`)
  return { ...rest, tunnel: { local, remote } }
}
