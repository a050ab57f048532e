/**
 * What XFRM's errors mean: names for the places that the kernel points at, codes and hints for its numbers.
 *
 * @module
 */
import { constants } from 'node:os'
import { nlmsghdr } from '../codec/message.ts'
import type { Answer, Dialect } from '../socket/extack.ts'
import { proto } from './constants.ts'
import { describeOffset, type MessageName, messageName, xfrm } from './messages.ts'

const { ENOENT, ESRCH, EEXIST, EPROTONOSUPPORT, EAFNOSUPPORT, ENOSYS } = constants.errno

/** Where `usersa_info`, counted from the `nlmsghdr`, holds the protocol of the SA. */
const SA_PROTO = nlmsghdr.size + 76

const protocolNames = new Map<number, string>([
  [proto.ESP, 'ESP'],
  [proto.AH, 'AH'],
  [proto.COMP, 'IPCOMP'],
])

const ADDS_STATE: readonly (MessageName | undefined)[] = ['NEWSA', 'UPDSA', 'ALLOCSPI']

/** For {@link NetlinkSocket}: its errors speak of XFRM. */
export const xfrmDialect: Dialect = {
  messageName(type) {
    const name = messageName(type)
    return name && `XFRM_MSG_${name}`
  },
  fieldName(type, message, offset) {
    return describeOffset(type, message.subarray(nlmsghdr.size), offset) || undefined
  },
  attributeName(type, attribute) {
    const name = messageName(type)
    if (!name) return undefined
    const { prefix, definitions } = xfrm.definitions[name][2]
    const entry = Object.entries(definitions).find(([, [number]]) => number === attribute)
    return entry && `${prefix}_${entry[0].toUpperCase()}`
  },
  classify(type, answer, request) {
    const name = messageName(type)
    return ADDS_STATE.includes(name) ? classifyState(answer, request) : classifyOther(name, answer)
  },
}

function classifyState({ errno, extack }: Answer, request: Uint8Array) {
  switch (errno) {
    case EPROTONOSUPPORT: {
      // Before 6.1 the kernel said nothing; today it uses the number also for an unknown mode.
      if (extack !== undefined && extack !== 'Requested type not found') return undefined
      const title = protocolNames.get(request[SA_PROTO] ?? 0) ?? 'PROTOCOL'
      return {
        code: `ERR_XFRM_NO_${title}`,
        hint: `this kernel has no ${title} for the address family: load its module (esp4, esp6, ah4, ah6, ipcomp, ipcomp6) or use a kernel that has it`,
      }
    }
    case ENOSYS:
    case ENOENT:
      return { code: 'ERR_XFRM_NO_ALGORITHM', hint: 'this kernel lacks the algorithm, or its crypto module' }
    case EEXIST:
      return { hint: 'an SA with this destination, SPI, protocol and mark is there already' }
    case ESRCH:
      return { hint: 'there is no such SA' }
    case EAFNOSUPPORT:
      return { hint: 'this kernel lacks the address family, or IPsec for it' }
    default:
      return undefined
  }
}

function classifyOther(name: MessageName | undefined, { errno }: Answer) {
  if (errno === ESRCH) return { hint: 'there is no such SA' }
  if (errno === ENOENT && (name === 'DELPOLICY' || name === 'GETPOLICY')) {
    return { hint: 'there is no such policy' }
  }
  if (errno === EEXIST) {
    return { hint: 'a policy with this selector, direction, mark and interface id is there already' }
  }
  return undefined
}
