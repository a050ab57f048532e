/**
 * Numbers of the XFRM user API, by the kernel's names without their prefix. Source: `linux/xfrm.h`.
 *
 * @module
 */

/** Groups for `NETLINK_ADD_MEMBERSHIP` (`XFRMNLGRP_`). */
export const group = {
  ACQUIRE: 1,
  EXPIRE: 2,
  SA: 3,
  POLICY: 4,
  AEVENTS: 5,
  REPORT: 6,
  MIGRATE: 7,
  MAPPING: 8,
} as const

/** Modes of SAs and templates (`XFRM_MODE_`). */
export const mode = {
  TRANSPORT: 0,
  TUNNEL: 1,
  ROUTEOPTIMIZATION: 2,
  IN_TRIGGER: 3,
  BEET: 4,
  IPTFS: 5,
} as const

/**
 * Directions of policies (`XFRM_POLICY_`). Policies of single sockets show up in dumps with the last three,
 * which have no name in the kernel's header.
 */
export const dir = { IN: 0, OUT: 1, FWD: 2, SOCKET_IN: 3, SOCKET_OUT: 4, SOCKET_FWD: 5 } as const

/** What a policy does with what matches (`XFRM_POLICY_`). */
export const action = { ALLOW: 0, BLOCK: 1 } as const

/** Flags of policies (`XFRM_POLICY_`). */
export const policyFlag = { LOCALOK: 1, ICMP: 2, CPU_ACQUIRE: 4 } as const

/** Policy tables (`XFRM_POLICY_TYPE_`). SUB is consulted before MAIN. */
export const policyType = { MAIN: 0, SUB: 1, ANY: 255 } as const

/** Sharing of SAs (`XFRM_SHARE_`): stored in templates, never consulted. */
export const share = { ANY: 0, SESSION: 1, USER: 2, UNIQUE: 3 } as const

/** Flags of SAs (`XFRM_STATE_`). */
export const stateFlag = {
  NOECN: 1,
  DECAP_DSCP: 2,
  NOPMTUDISC: 4,
  WILDRECV: 8,
  ICMP: 16,
  AF_UNSPEC: 32,
  ALIGN4: 64,
  ESN: 128,
} as const

/** Bits of the attribute SA_EXTRA_FLAGS (`XFRM_SA_XFLAG_`). */
export const extraFlag = { DONT_ENCAP_DSCP: 1, OSEQ_MAY_WRAP: 2 } as const

/** Values of the attribute SA_DIR (`XFRM_SA_DIR_`). */
export const saDir = { IN: 1, OUT: 2 } as const

/** What an aevent carries, and what caused it (`XFRM_AE_`). */
export const aeFlag = { RTHR: 1, RVAL: 2, LVAL: 4, ETHR: 8, CR: 16, CE: 32, CU: 64 } as const

/** Flags of the attribute OFFLOAD_DEV (`XFRM_OFFLOAD_`). Bit 1 has no meaning any more. */
export const offloadFlag = { IPV6: 1, INBOUND: 2, PACKET: 4 } as const

/** Default policies (`XFRM_USERPOLICY_`). UNSPEC leaves a direction as it is. */
export const userpolicy = { UNSPEC: 0, BLOCK: 1, ACCEPT: 2 } as const

/** Flags of MIGRATE_STATE (`XFRM_MIGRATE_STATE_`). */
export const migrateFlag = { CLEAR_OFFLOAD: 1, UPDATE_H2H_SEL: 2 } as const

/** Encapsulation types of the attribute ENCAP (`UDP_ENCAP_`, `TCP_ENCAP_`; `linux/udp.h`). */
export const encapType = { ESPINUDP_NON_IKE: 1, ESPINUDP: 2, ESPINTCP: 7 } as const

/** A lifetime that never ends, in bytes or packets (`XFRM_INF`). In seconds, 0 means none. */
export const INF = 0xffff_ffff_ffff_ffffn

/** Most templates that a policy may have (`XFRM_MAX_DEPTH`). One less works: see the kernel's ENOBUFS. */
export const MAX_DEPTH = 6

/** Largest window of REPLAY_ESN_VAL in packets, which are bits of its bitmap (`XFRMA_REPLAY_ESN_MAX`). */
export const REPLAY_ESN_MAX = 4096

/** Address families as XFRM writes them (`AF_`). */
export const family = { UNSPEC: 0, INET: 2, INET6: 10 } as const

/** Protocols that an SA or template can have (`IPPROTO_`). */
export const proto = { ESP: 50, AH: 51, COMP: 108, ROUTING: 43, DSTOPTS: 60, ANY: 255 } as const
