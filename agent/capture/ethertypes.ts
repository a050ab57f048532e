/**
 * Ethernet types (IEEE 802.3, the list of the IEEE Registration Authority), and VLAN tags, which begin with one.
 *
 * @module
 */
export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_RARP = 0x8035
export const ETHERTYPE_IPV6 = 0x86dd

const VLAN = 0x8100
const SERVICE_VLAN = 0x88a8
const OLD_SERVICE_VLAN = 0x9100

/** Bytes of a tag: its control field, and the type of what is behind it. */
export const VLAN_TAG_LENGTH = 4

/** Types that announce a VLAN tag (IEEE 802.1Q, 802.1ad, and what came before the latter). */
export function isVlanTag(type: number): boolean {
  return type === VLAN || type === SERVICE_VLAN || type === OLD_SERVICE_VLAN
}
