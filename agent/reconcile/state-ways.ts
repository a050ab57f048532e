/**
 * What tunables mean for SAs that are added. Pure.
 *
 * @module
 */
import type { DataPathKind } from '../datapath/data-path.ts'
import { isOn, type TunableValues, tunableValue } from '../model/tunables.ts'
import type { StateWays } from '../translate/associations.ts'

/**
 * The kernel can send keepalives itself from Linux 6.11 on, but only for SAs that are declared outbound, which then have
 * no replay window to be read back. So for its SAs the agent sends them (`agent/nat-keepalive`).
 */
export function stateWays(tunables: TunableValues, dataPath: DataPathKind): StateWays {
  return {
    ignoresEcn: !isOn(tunables, 'ipsectun_ecn'),
    clearsDontFragment: tunableValue(tunables, 'ipsectun_dfbit') === 0,
    ...(dataPath === 'software' && {
      natKeepalive: tunableValue(tunables, 'ipsecesp_nat_keepalive_interval'),
      paddingCheck: tunableValue(tunables, 'ipsecesp_padding_check'),
    }),
  }
}
