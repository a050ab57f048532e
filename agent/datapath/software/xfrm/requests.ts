/**
 * XFRM's user API on the software data path: each message does to its databases what it would do to the kernel's, and is
 * announced in the same way.
 *
 * @module
 */
import type { XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import { dir, group } from '../../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { Databases } from '../databases.ts'
import type { Policy } from '../policy/policy.ts'
import type { State } from '../state/state.ts'
import { namedPolicy, policyMessage, putPolicy, removePolicy } from './policy-requests.ts'
import { RequestError } from './request-error.ts'
import { countersMessage, stateMessage } from './state-message.ts'
import {
  addState,
  dumpStates,
  existingState,
  flushStates,
  removeState,
  type SurroundingsOf,
  updateState,
} from './state-requests.ts'

/** What a request brings about. */
export interface Outcome {
  /** To whoever asked. */
  readonly replies: readonly XfrmMessage[]
  /** To all who listen to the group. */
  readonly event?: { readonly group: number; readonly message: XfrmMessage }
  /** True where something changed that has to survive the program. */
  readonly isChange: boolean
}

const answered = (...replies: XfrmMessage[]): Outcome => ({ replies, isChange: false })

/** Carries out requests on databases. */
export class Requests {
  readonly #databases: Databases
  readonly #surroundingsOf: SurroundingsOf

  constructor(databases: Databases, surroundingsOf: SurroundingsOf) {
    this.#databases = databases
    this.#surroundingsOf = surroundingsOf
  }

  /** @throws RequestError; nothing has changed then */
  handle(message: XfrmMessage): Outcome {
    switch (message.name) {
      case 'NEWPOLICY':
      case 'UPDPOLICY':
        return policyChange(putPolicy(this.#databases, message), message.name)
      case 'DELPOLICY':
        return this.#removePolicy(message)
      case 'GETPOLICY':
        return answered(policyMessage(namedPolicy(this.#databases, message)))
      case 'FLUSHPOLICY':
        return this.#flushPolicies(message)
      case 'NEWSA':
        return stateChange(addState(this.#databases, message, this.#surroundingsOf), 'NEWSA')
      case 'UPDSA':
        return stateChange(updateState(this.#databases, message), 'UPDSA')
      case 'DELSA':
        return this.#removeState(message)
      case 'GETSA':
        return answered(stateMessage(existingState(this.#databases, message.body)))
      case 'FLUSHSA':
        flushStates(this.#databases, message.body.proto)
        return { replies: [], event: { group: group.SA, message }, isChange: true }
      case 'NEWAE':
        return this.#setCounters(message)
      case 'GETSPDINFO':
        return answered(this.#spdInfo())
      case 'GETSADINFO':
        return answered({
          name: 'NEWSADINFO',
          body: { flags: 0 },
          attributes: { cnt: this.#databases.states.size },
        })
      default:
        throw new RequestError('EOPNOTSUPP', `the software data path does not know XFRM_MSG_${message.name}`)
    }
  }

  /** What a dump gives. */
  dump(name: 'GETSA' | 'GETPOLICY', filter: XfrmAttributes): Iterable<XfrmMessage> {
    if (name === 'GETSA') return dumpStates(this.#databases, filter)
    return this.#databases.policies.all().map(policyMessage)
  }

  #removePolicy(message: XfrmMessage<'DELPOLICY'>): Outcome {
    const policy = namedPolicy(this.#databases, message)
    removePolicy(this.#databases, policy)
    const { info } = policy
    const event: XfrmMessage = {
      name: 'DELPOLICY',
      body: { sel: info.sel, index: info.index, dir: info.dir },
      attributes: { ...policy.attributes, policy: policyMessage(policy).body },
    }
    return { replies: [], event: { group: group.POLICY, message: event }, isChange: true }
  }

  #flushPolicies(message: XfrmMessage<'FLUSHPOLICY'>): Outcome {
    for (const policy of this.#databases.policies.all()) removePolicy(this.#databases, policy)
    return { replies: [], event: { group: group.POLICY, message }, isChange: true }
  }

  #removeState(message: XfrmMessage<'DELSA'>): Outcome {
    const state = existingState(this.#databases, message.body)
    // As the kernel does, with algorithms: without them it would be taken for a larval SA. Their keys are wiped here.
    const { body: sa, attributes } = stateMessage(state)
    const event: XfrmMessage = { ...message, attributes: { ...attributes, sa } }
    removeState(this.#databases, state)
    return { replies: [], event: { group: group.SA, message: event }, isChange: true }
  }

  #setCounters(message: XfrmMessage<'NEWAE'>): Outcome {
    const state = existingState(this.#databases, message.body.sa_id)
    const { replay_val, replay_esn_val } = message.attributes
    if (!replay_val && !replay_esn_val) throw new RequestError('EINVAL', 'no sequence numbers were given')
    try {
      state.setCounters(message.attributes)
    } catch (error) {
      if (error instanceof RangeError) throw new RequestError('EINVAL', error.message)
      throw error
    }
    return { replies: [], event: { group: group.AEVENTS, message: countersMessage(state) }, isChange: true }
  }

  #spdInfo(): XfrmMessage<'NEWSPDINFO'> {
    const count = (direction: number) =>
      this.#databases.policies.all().filter(({ info }) => info.dir === direction).length
    const info = { incnt: count(dir.IN), outcnt: count(dir.OUT), fwdcnt: count(dir.FWD) }
    return {
      name: 'NEWSPDINFO',
      body: { flags: 0 },
      attributes: { info: { ...info, inscnt: 0, outscnt: 0, fwdscnt: 0 } },
    }
  }
}

function policyChange(policy: Policy, name: 'NEWPOLICY' | 'UPDPOLICY'): Outcome {
  const message = { ...policyMessage(policy), name }
  return { replies: [], event: { group: group.POLICY, message }, isChange: true }
}

function stateChange(state: State, name: 'NEWSA' | 'UPDSA'): Outcome {
  const message = { ...stateMessage(state), name }
  return { replies: [], event: { group: group.SA, message }, isChange: true }
}
