/**
 * What tunables must not say of each other.
 *
 * @module
 */
import type { Tunables } from '../../../schemas/generated/configuration.ts'
import type { JsonDocument } from '../document.ts'

const ESP_ONLY = ['paddingCheck', 'natKeepaliveInterval'] as const
const LIMITS = [
  ['softBytes', 'hardBytes'],
  ['softAddTime', 'hardAddTime'],
  ['softUseTime', 'hardUseTime'],
] as const

/** Reports what does not fit together. */
export function checkTunables(document: JsonDocument, tunables: Tunables): void {
  for (const member of ESP_ONLY) {
    if (tunables.ah?.[member] === undefined) continue
    document.error(['tunables', 'ah', member], `AH has no \`${member}\``, { hint: 'It belongs to `esp`.' })
  }
  for (const protocol of ['esp', 'ah'] as const) {
    for (const [softName, hardName] of LIMITS) {
      const { [softName]: soft, [hardName]: hard } = tunables[protocol] ?? {}
      if (soft === undefined || !hard || soft <= hard) continue
      document.error(['tunables', protocol, softName], 'The soft limit lies above the hard one', {
        expected: `at most ${hard}, as \`${hardName}\` says`,
      })
    }
  }
}
