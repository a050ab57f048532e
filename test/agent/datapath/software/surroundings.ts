/**
 * What a software data path needs around it, in memory.
 *
 * @module
 */
import { cryptoBackend } from '../../../../agent/datapath/software/crypto/select.ts'
import { Databases } from '../../../../agent/datapath/software/databases.ts'
import { IvEpochs } from '../../../../agent/datapath/software/state/iv-source.ts'
import { State, type StateSurroundings } from '../../../../agent/datapath/software/state/state.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'

/** A number written down by an SA: all up to it count as sent, and as seen. */
export interface Remembered {
  readonly state: State
  readonly sent: number
  readonly seen: number
}

export function surroundings(remembered: Remembered[] = []): StateSurroundings {
  return {
    backend: cryptoBackend(),
    epochs: new IvEpochs(0, Date.now(), () => {}),
    now: 1_800_000_000,
    remember: (state, sent, seen) => remembered.push({ state, sent, seen }),
  }
}

export function stateOf(message: Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>): State {
  return new State(message, surroundings())
}

/** Empty databases; what they announce is kept in the list. */
export function emptyDatabases(announced: string[] = []): Databases {
  return new Databases({
    acquire: (_policy, template) => announced.push(`acquire ${template}`),
    expire: (state, hard) => announced.push(`${hard ? 'hard' : 'soft'} ${state.body.id.spi}`),
  })
}
