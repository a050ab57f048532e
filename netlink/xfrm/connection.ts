import { memoryOf } from '../codec/memory.ts'
import type { BatchOptions, BatchResult } from '../socket/batch.ts'
import { NetlinkSocket } from '../socket/socket.ts'
import { decodeMessage, describeOffset, encodeDump, messageType, type XfrmMessage, xfrm } from './messages.ts'
import { writePolicy } from './policy-writer.ts'

const F_EXCL_CREATE = 0x600

export class XfrmConnection {
  #socket: NetlinkSocket
  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }
  static open(): XfrmConnection {
    return new XfrmConnection(NetlinkSocket.open(6))
  }
  close(): void {
    this.#socket.close()
  }
  policies(): XfrmMessage<'NEWPOLICY'>[] {
    return this.#dump('GETPOLICY')
  }
  states(): XfrmMessage<'NEWSA'>[] {
    return this.#dump('GETSA')
  }
  #dump<T>(name: 'GETSA' | 'GETPOLICY'): T[] {
    const found: T[] = []
    this.#socket.dump({ type: messageType(name), payload: encodeDump(name) }, (entry) =>
      found.push(decodeMessage(entry.type, entry.payload.slice()) as T),
    )
    return found
  }
  batch(messages: Iterable<XfrmMessage>, options: BatchOptions = {}): BatchResult {
    const all = [...messages]
    return this.#socket.batchEncoded(
      all.length,
      (target, offset, index) => {
        const message = all[index]
        if (!message) throw new Error('x')
        const memory = memoryOf(target)
        const header = { flags: F_EXCL_CREATE, seq: 0, pid: 0 }
        return message.name === 'NEWPOLICY' || message.name === 'UPDPOLICY'
          ? writePolicy(memory, offset, message, header)
          : xfrm.write(memory, offset, message, header)
      },
      options,
    )
  }
}
void describeOffset
