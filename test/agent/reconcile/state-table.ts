/**
 * The kernel's table of SAs in memory: what NEWSA, UPDSA and DELSA do to it.
 *
 * @module
 */
import { saKey } from '../../../agent/reconcile/association-notes.ts'
import { type KernelAssociation, readState } from '../../../agent/translate/read-association.ts'
import { readAddress } from '../../../agent/translate/selectors.ts'
import { proto } from '../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'

type State = Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>

export class StateTable {
  readonly #states = new Map<string, State>()

  /** In the order in which they came. */
  get associations(): KernelAssociation[] {
    return [...this.#states.values()].flatMap((state) => readState(state) ?? [])
  }

  /** The very objects: what was not touched is the same one. */
  get states(): ReadonlyMap<string, State> {
    return this.#states
  }

  /** @returns the errno that the kernel would answer with */
  apply(message: XfrmMessage): 'EEXIST' | 'ESRCH' | undefined {
    switch (message.name) {
      case 'NEWSA':
      case 'UPDSA': {
        const { body, attributes } = message as XfrmMessage<'NEWSA'>
        const key = keyOf(body.id, body.family)
        const isThere = this.#states.has(key)
        if (isThere === (message.name === 'NEWSA')) return isThere ? 'EEXIST' : 'ESRCH'
        this.#states.set(key, { body, attributes })
        return undefined
      }
      case 'DELSA':
        return this.#states.delete(keyOf(message.body, message.body.family)) ? undefined : 'ESRCH'
      default:
        throw new TypeError(`${message.name} is not about SAs`)
    }
  }
}

function keyOf({ proto: number, daddr, spi }: XfrmMessage<'NEWSA'>['body']['id'], family: number): string {
  const protocol = number === proto.AH ? 'ah' : 'esp'
  return saKey({ protocol, spi, destination: readAddress(daddr, family) })
}
