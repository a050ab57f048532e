/**
 * Tables and reports for tests.
 *
 * @module
 */
import { defaultAlgorithmTable as algorithms } from '../../../agent/model/default-algorithms.ts'
import { policyIndex } from '../../../agent/reconcile/ownership.ts'
import { appendRules, emptyState } from '../../../agent/reconcile/policy-edit.ts'
import { entriesOf, type LoadedRule } from '../../../agent/reconcile/policy-state.ts'
import type { StatusSources } from '../../../agent/status/make-report.ts'
import type { AssociationReport, StatusReport } from '../../../agent/status/report.ts'
import { unclassedReqid } from '../../../agent/translate/classes.ts'
import { bandOf, priorityOf, SLOT_RULE } from '../../../agent/translate/priorities.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { family as af, dir, proto } from '../../../netlink/xfrm/constants.ts'
import { defaultPolicy, defaultState, zeroCounters, zeroStats } from '../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { resolver } from '../../compat/solaris/ipseckey/support.ts'

/** Seconds since 1970. Far from now: states that depend on time are chosen so that it does not matter. */
export const NOW = 1_800_000_000

export const HERE = Uint8Array.of(10, 1, 0, 1)
export const THERE = Uint8Array.of(10, 1, 0, 2)
export const OUR_REQID = unclassedReqid('esp')

const wide = (bytes: Uint8Array) => Uint8Array.from({ length: 16 }, (_, i) => bytes[i] ?? 0)

export function rulesOf(text: string): readonly LoadedRule[] {
  const { rules } = parsePolicy(text, '/etc/inet/ipsecinit.conf', { algorithms, resolver })
  return appendRules(emptyState(0), rules).rules
}

/** One policy for each entry of the rules. */
export function policiesOf(rules: readonly LoadedRule[], useTime = 0n): XfrmMessage<'NEWPOLICY'>[] {
  let serial = 0
  return rules.flatMap((loaded) =>
    entriesOf(loaded).map((entry): XfrmMessage<'NEWPOLICY'> => {
      const direction = entry.direction === 'out' ? dir.OUT : dir.IN
      const body = {
        ...defaultPolicy(entry.family === 'inet' ? af.INET : af.INET6),
        dir: direction,
        index: policyIndex(++serial, direction),
        priority: priorityOf(bandOf(entry.rule.actions), entry.position) + SLOT_RULE,
        curlft: { ...zeroCounters(), use_time: useTime },
      }
      return { name: 'NEWPOLICY', body, attributes: {} }
    }),
  )
}

export interface SceneSa {
  readonly spi: number
  readonly outbound?: boolean
  readonly isForeign?: boolean
  readonly bytes?: bigint
  readonly packets?: bigint
  readonly added?: bigint
  readonly used?: bigint
  readonly lastUsed?: bigint
  readonly integrity?: number
  readonly hardTime?: bigint
  readonly hardBytes?: bigint
}

/** An SA of AES-CBC and HMAC-SHA-256, with keys of 0xab. */
export function stateOf(sa: SceneSa): XfrmMessage<'NEWSA'> {
  const state = defaultState()
  const { outbound = false, lastUsed } = sa
  const lft = {
    ...state.lft,
    ...(sa.hardTime && { hard_add_expires_seconds: sa.hardTime }),
    ...(sa.hardBytes && { hard_byte_limit: sa.hardBytes }),
  }
  const key = (bytes: number) => new Uint8Array(bytes).fill(0xab)
  return {
    name: 'NEWSA',
    body: {
      ...state,
      id: { daddr: wide(outbound ? THERE : HERE), spi: sa.spi, proto: proto.ESP },
      saddr: wide(outbound ? HERE : THERE),
      reqid: sa.isForeign ? 7 : OUR_REQID,
      lft,
      curlft: {
        bytes: sa.bytes ?? 0n,
        packets: sa.packets ?? 0n,
        add_time: sa.added ?? BigInt(NOW - 100),
        use_time: sa.used ?? 0n,
      },
      stats: { ...zeroStats(), integrity_failed: sa.integrity ?? 0 },
    },
    attributes: {
      alg_crypt: { alg_name: 'cbc(aes)', alg_key_len: 128, alg_key: key(16) },
      alg_auth_trunc: { alg_name: 'hmac(sha256)', alg_key_len: 256, alg_trunc_len: 128, alg_key: key(32) },
      ...(lastUsed !== undefined && { lastused: lastUsed }),
    },
  }
}

export function sourcesWith(changes: Partial<StatusSources>): StatusSources {
  return {
    time: NOW * 1000,
    dataPath: { kind: 'kernel', state: 'ready' },
    rules: [],
    isRecordLost: false,
    isChanging: false,
    tables: { policies: [], states: [] },
    notes: new Map(),
    localAddresses: [{ family: 'inet', bytes: HERE }],
    tunnelEnds: new Map(),
    algorithms,
    ...changes,
  }
}

export function associationWith(changes: Partial<AssociationReport> = {}): AssociationReport {
  return {
    protocol: 'esp',
    spi: 0x1000,
    source: '10.1.0.2',
    destination: '10.1.0.1',
    owner: 'solipsec',
    direction: 'in',
    state: 'mature',
    mode: 'transport',
    encryption: 'aes-cbc 128',
    authentication: 'hmac-sha256 256',
    isAuthenticated: true,
    bytes: 0,
    packets: 0,
    errors: { integrity: 0, replay: 0, replayWindow: 0 },
    replayWindow: 64,
    sequence: 0,
    added: NOW - 100,
    ...changes,
  }
}

export function reportWith(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    time: NOW,
    dataPath: { kind: 'kernel', state: 'ready' },
    problems: [],
    rules: [],
    tables: {
      policies: { ofRules: 0, frame: 0, foreign: 0, ofSockets: 0 },
      associations: { own: 0, foreign: 0, larval: 0 },
    },
    associations: [],
    ...changes,
  }
}
