/**
 * A single policy in the words of the section `sockets`, as programs ask for one by solipsec-sockets(7).
 *
 * @module
 */
import { hasErrors } from '../../agent/model/diagnostic.ts'
import type { ReadPolicy } from '../../agent/sockets/message.ts'
import type { PolicyEnvironment } from '../solaris/ipsecconf/index.ts'
import { readConfiguration } from './index.ts'

/** The section has names of units; here there is none. */
const NO_UNIT = 'request.service'

/** A reader of policies. It takes what a document may say of one socket, and nothing else. */
export function socketPolicyReader(environment: PolicyEnvironment): ReadPolicy {
  const problem = 'a request refers to no files'
  const files = { isExposed: false, read: () => ({ problem }), credential: () => ({ problem }) }
  return (policy) => {
    if (typeof policy !== 'object' || policy === null || 'service' in policy || 'comment' in policy) {
      return { reason: "a policy is an object with 'protect' or 'action'" }
    }
    const text = JSON.stringify({ sockets: [{ ...policy, service: NO_UNIT }] })
    const { configuration, diagnostics } = readConfiguration(text, 'request', { ...environment, files })
    const [socket] = configuration?.sockets ?? []
    if (hasErrors(diagnostics) || !socket) {
      const errors = diagnostics.filter(({ severity }) => severity === 'error')
      const reasons = errors.map(({ message, expected }) =>
        expected === undefined ? message : `${message}; expected ${expected}`,
      )
      return { reason: reasons.join('; ') || 'the policy says nothing' }
    }
    const { action, selfEncapsulation } = socket
    return { demand: { action, selfEncapsulation } }
  }
}
