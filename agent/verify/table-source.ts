/**
 * Policies and SAs of whoever carries the packets of this network namespace, for as long as somebody looks on.
 *
 * @module
 */
import { NetlinkError } from '../../netlink/socket/error.ts'
import type { ChangeWatch, XfrmTables } from '../../netlink/xfrm/connection.ts'
import { type DataPath, type DataPathChoice, type DataPathKind, openDataPath } from '../datapath/data-path.ts'
import { isSoftware } from '../datapath/software/service/client.ts'
import { type HostFacts, readHostFacts } from './host-facts.ts'
import type { TableSource } from './live-tables.ts'

interface Open {
  readonly dataPath: DataPath
  readonly watch: ChangeWatch
}

export class DataPathSource implements TableSource {
  readonly #folder: string
  readonly #choice: DataPathChoice
  #open: Open

  /**
   * @param folder the state folder of the namespace that the calling thread is in
   * @throws DataPathConflictError, ServiceStartError, NetlinkError (`EPERM` without CAP_NET_ADMIN)
   */
  constructor(folder: string, choice: DataPathChoice) {
    this.#folder = folder
    this.#choice = choice
    this.#open = this.#connect()
  }

  get kind(): DataPathKind {
    return this.#open.dataPath.kind
  }

  /** Who carries the packets, as it was found last. */
  get dataPath(): DataPath {
    return this.#open.dataPath
  }

  tables(): XfrmTables {
    return this.#open.dataPath.connection.tables()
  }

  /** Where the data path has ended, or another one has taken over, everything may have. */
  changed(): boolean {
    const isOther = this.#choice === 'auto' && isSoftware(this.#folder) !== (this.kind === 'software')
    if (!isOther) {
      try {
        return this.#open.watch.changed()
      } catch (error) {
        // The program of the software data path was ended: the next one has what it had.
        if (!(error instanceof NetlinkError) || this.kind === 'kernel') throw error
      }
    }
    this.close()
    this.#open = this.#connect()
    return true
  }

  facts(): HostFacts {
    return readHostFacts(this.kind)
  }

  close(): void {
    this.#open.watch.close()
    this.#open.dataPath.connection.close()
  }

  #connect(): Open {
    const dataPath = openDataPath(this.#folder, { choice: this.#choice, needs: [] }, () => false)
    try {
      return { dataPath, watch: dataPath.connection.watchChanges() }
    } catch (error) {
      dataPath.connection.close()
      throw error
    }
  }
}
