/**
 * What XFRM's messages about policies do to the SPD.
 *
 * @module
 */
import { dir, MAX_DEPTH } from '../../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { Databases } from '../databases.ts'
import { type Policy, policyOf } from '../policy/policy.ts'
import { RequestError } from './request-error.ts'

type NewPolicy = XfrmMessage<'NEWPOLICY'> | XfrmMessage<'UPDPOLICY'>

/**
 * Adds a policy, or with UPDPOLICY puts it in the place of the one with its selector and mark.
 *
 * @throws RequestError
 */
export function putPolicy(databases: Databases, message: NewPolicy): Policy {
  const { body, attributes, name } = message
  checkPolicy(message)
  const { policies } = databases
  const present = policies.find(body.dir, body.sel, attributes)
  if (present && name === 'NEWPOLICY') throw new RequestError('EEXIST', 'a policy with this selector exists')
  const wanted = body.index || present?.info.index || policies.freeIndex(body.dir)
  const other = policies.byIndex(wanted)
  if (other && other !== present) throw new RequestError('EEXIST', 'a policy with this index exists')
  const policy = policyOf(message, wanted, databases.now)
  if (present) {
    policies.remove(present)
    // Updates follow SAs that come and go: counts go on.
    policy.bytes = present.bytes
    policy.packets = present.packets
  }
  policies.add(policy)
  databases.generation++
  return policy
}

function checkPolicy({ body, attributes }: NewPolicy): void {
  const refuse = (text: string) => new RequestError('EINVAL', text)
  if (body.dir > dir.FWD) throw refuse('Invalid policy direction')
  if (body.index !== 0 && (body.index & 7) !== body.dir) throw refuse('Policy index does not match direction')
  if ((attributes.tmpl?.length ?? 0) >= MAX_DEPTH) throw refuse('Template count exceeds XFRM_MAX_DEPTH')
  if ((attributes.policy_type?.type ?? 0) !== 0) throw refuse('sub-policies are not supported')
  if (attributes.if_id || attributes.sec_ctx) {
    throw refuse('interface ids and labels are not supported by the software data path')
  }
}

/** The policy that a GET or DEL names: by index, or by selector and mark. @throws RequestError ENOENT */
export function namedPolicy(
  databases: Databases,
  { body, attributes }: XfrmMessage<'GETPOLICY'> | XfrmMessage<'DELPOLICY'>,
): Policy {
  const { policies } = databases
  const policy = body.index ? policies.byIndex(body.index) : policies.find(body.dir, body.sel, attributes)
  if (!policy || policy.info.dir !== body.dir) throw new RequestError('ENOENT', 'there is no such policy')
  return policy
}

export function removePolicy(databases: Databases, policy: Policy): void {
  databases.policies.remove(policy)
  databases.generation++
}

/** The policy as XFRM tells of it. */
export function policyMessage({ info, attributes, addTime, ...use }: Policy): XfrmMessage<'NEWPOLICY'> {
  const curlft = {
    bytes: BigInt(use.bytes),
    packets: BigInt(use.packets),
    add_time: BigInt(addTime),
    use_time: BigInt(use.useTime),
  }
  return { name: 'NEWPOLICY', body: { ...info, curlft }, attributes }
}
