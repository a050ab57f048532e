/**
 * The keys in messages about SAs.
 *
 * @module
 */
import type { XfrmAttributes } from './attributes.ts'
import type { XfrmMessage } from './messages.ts'

type WithKeys = Pick<XfrmMessage<'NEWSA'>, 'attributes'>

/** The algorithms of an SA that have keys; one that is only reserved has none. The kernel dumps a MAC as two attributes. */
export function keyedAlgorithms({ alg_auth, alg_auth_trunc, alg_crypt, alg_aead }: XfrmAttributes) {
  return [alg_auth, alg_auth_trunc, alg_crypt, alg_aead].filter((algorithm) => algorithm !== undefined)
}

/** Overwrites the keys of an SA that is not needed any more. Of a message without keys, nothing. */
export function wipeKeys({ attributes }: WithKeys): void {
  for (const { alg_key } of keyedAlgorithms(attributes)) alg_key.fill(0)
}
