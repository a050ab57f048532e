import t from 'tap'
import { KeepaliveDuty } from '../../../../agent/daemon/duties/keepalives.ts'
import type { Keepalive } from '../../../../agent/nat-keepalive/due.ts'
import { emptyState } from '../../../../agent/reconcile/policy-edit.ts'
import type { Session } from '../../../../agent/reconcile/session.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { HERE, state, THERE } from '../../nat-keepalive/states.ts'

/** One SA that was used long ago, and what comes of it. */
class World {
  readonly sent: Keepalive[] = []
  #hear = () => {}

  states(): XfrmMessage<'NEWSA'>[] {
    this.#hear()
    return [{ name: 'NEWSA', ...state(1n) }]
  }

  send(one: Keepalive): void {
    this.sent.push(one)
  }

  close(): void {}

  /** Resolves when somebody has looked at the SAs, and done what there is to do. */
  looked(): Promise<void> {
    return new Promise((resolve) => {
      this.#hear = () => setImmediate(resolve)
    })
  }
}

function session(changeCount: number, localAddresses: Session['network']['localAddresses']) {
  return {
    changeCount,
    state: emptyState(0),
    network: { localAddresses, tunnels: new Map(), routedMarks: 0 },
    dataPath: { kind: 'kernel', isNew: false, lacking: [], isRestarted: false },
  } as const
}

t.test('an address that comes after the SAs begins looks anew', async (t) => {
  const world = new World()
  const duty = new KeepaliveDuty({ tell: () => {}, describe: () => '' }, world)
  t.teardown(() => duty.close())
  duty.note(session(1, []))
  await world.looked()
  t.same(world.sent, [], 'the SA is not for this host to send with')
  duty.note(session(1, [HERE]))
  await world.looked()
  t.match(world.sent, [{ source: HERE, destination: THERE }])
  t.equal(world.sent.length, 1)
})
