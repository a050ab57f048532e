/**
 * The data path's side to the network: sockets that receive ESP and AH, bare or in UDP.
 *
 * @module
 */
import { AF_INET, AF_INET6 } from '../../../../../netlink/libc/socket.ts'
import { IPPROTO_AH, IPPROTO_ESP } from '../../../../packet/protocols.ts'
import { asItIs, headerMaker6, udpHeaderMaker } from './headers.ts'
import { type Arrivals, Receiver, receivingMemory, type Source } from './receiver.ts'
import { receivingSocket, type UdpPort, udpSocket } from './sockets.ts'

/** Everything that receives. */
export class Wire {
  readonly #arrivals: Arrivals
  readonly #memory = receivingMemory()
  readonly #receivers: Receiver[] = []
  /** By {@link portKey}. */
  readonly #udp = new Map<number, Receiver>()

  /** Opens everything but UDP ports, in the calling thread's network namespace. */
  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals
    for (const protocol of [IPPROTO_ESP, IPPROTO_AH]) {
      const plain = { protocol, encapsulated: false }
      const [four, six] = [receivingSocket(AF_INET, protocol), receivingSocket(AF_INET6, protocol)]
      this.#receivers.push(this.#receiver({ ...plain, fd: four, makeHeader: asItIs }))
      this.#receivers.push(this.#receiver({ ...plain, fd: six, makeHeader: headerMaker6(protocol) }))
    }
  }

  #receiver(source: Source): Receiver {
    return new Receiver(source, this.#memory, this.#arrivals)
  }

  #udpReceiver(port: UdpPort): Receiver {
    const makeHeader = udpHeaderMaker(port)
    return this.#receiver({ fd: udpSocket(port), makeHeader, encapsulated: true, protocol: IPPROTO_ESP })
  }

  /**
   * Listens at these UDP ports and at no others.
   *
   * @throws SystemError `EADDRINUSE`
   */
  listen(ports: readonly UdpPort[]): void {
    const wanted = new Map(ports.map((port) => [portKey(port.family, port.port), port]))
    for (const [key, receiver] of this.#udp) {
      if (wanted.has(key)) continue
      receiver.close()
      this.#udp.delete(key)
    }
    for (const [key, port] of wanted) {
      if (!this.#udp.has(key)) this.#udp.set(key, this.#udpReceiver(port))
    }
  }

  /** The socket that is bound to a port, or -1. */
  udpSocket(isV4: boolean, port: number): number {
    return this.#udp.get(portKey(isV4 ? AF_INET : AF_INET6, port))?.fd ?? -1
  }

  close(): void {
    for (const receiver of [...this.#receivers, ...this.#udp.values()]) receiver.close()
  }
}

function portKey(family: number, port: number): number {
  return family * 0x10000 + port
}
