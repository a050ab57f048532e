/**
 * One client of the service: reads a request, has it carried out, answers, and reads the next. Who does not read its
 * answers is cut off; who sends no requests costs nothing but its place.
 *
 * @module
 */
import { type Parcel, receiveParcel, sendParcel } from '../../netlink/libc/descriptors.ts'
import { EAGAIN, SystemError } from '../../netlink/libc/errno.ts'
import { type Watch, watchReadable } from '../../netlink/libc/poll.ts'
import type { Disposal } from './disposal.ts'
import { type Form, formOf, LARGEST_REQUEST, writeRefusal } from './message.ts'
import type { Peer } from './peer.ts'
import { refusalOf } from './setter.ts'
import { SocketError } from './socket-error.ts'

/** Carries a request about one descriptor out, which stays open until it is done. */
export type Handler = (bytes: Uint8Array, descriptor: number, peer: Peer) => Uint8Array | Promise<Uint8Array>

/** Requests are read one at a time and copied out, so all clients share it. */
const inbox = new Uint8Array(LARGEST_REQUEST)

export class Connection {
  readonly peer: Peer
  /** When it last sent a request, by `performance.now()`. */
  lastActive = performance.now()
  readonly #fd: number
  readonly #handler: Handler
  readonly #disposal: Disposal
  readonly #onClose: () => void
  /** Absent while a request is being carried out: the next one waits. */
  #watch: Watch | undefined
  #open = true

  constructor(fd: number, peer: Peer, handler: Handler, disposal: Disposal, onClose: () => void) {
    this.#fd = fd
    this.peer = peer
    this.#handler = handler
    this.#disposal = disposal
    this.#onClose = onClose
    this.#listen()
  }

  /** A request is being carried out. */
  get isBusy(): boolean {
    return this.#open && this.#watch === undefined
  }

  #listen(): void {
    if (this.#open) this.#watch = watchReadable(this.#fd, () => this.#read())
  }

  #read(): void {
    const parcel = receiveParcel(this.#fd, inbox)
    if (typeof parcel === 'number') {
      if (parcel !== -EAGAIN) this.close()
      return
    }
    const { length, descriptors, lostDescriptors } = parcel
    if (length === 0 && descriptors.length === 0 && !lostDescriptors) {
      this.close()
      return
    }
    this.lastActive = performance.now()
    const bytes = inbox.slice(0, Math.min(length, inbox.length))
    const form = formOf(bytes)
    try {
      const answer = this.#handler(bytes, theDescriptor(parcel), this.peer)
      if (answer instanceof Promise) {
        void this.#await(answer, form, descriptors)
        return
      }
      this.#send(answer)
    } catch (error) {
      this.#send(writeRefusal(form, refusalOf(error)))
    }
    void this.#dispose(descriptors)
  }

  async #await(answer: Promise<Uint8Array>, form: Form, descriptors: readonly number[]): Promise<void> {
    this.#pause()
    const bytes = await answer.catch((error) => writeRefusal(form, refusalOf(error)))
    this.lastActive = performance.now()
    this.#send(bytes)
    await this.#dispose(descriptors)
  }

  /** Closes what came with a request. The next one has to wait for that: nobody piles descriptors up here. */
  async #dispose(descriptors: readonly number[]): Promise<void> {
    this.#pause()
    await this.#disposal.take(this.peer.uid, descriptors)
    this.#listen()
  }

  #pause(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  #send(bytes: Uint8Array): void {
    if (!this.#open) return
    try {
      sendParcel(this.#fd, bytes)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.close()
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#pause()
    // Requests that were not read may be the last to hold the descriptors in them.
    void this.#disposal.take(this.peer.uid, [this.#fd])
    this.#onClose()
  }
}

/** @throws SocketError where a message is too long, or does not carry just one descriptor */
function theDescriptor({ length, descriptors, lostDescriptors }: Parcel): number {
  if (length > LARGEST_REQUEST) {
    throw new SocketError('EMSGSIZE', `a request has at most ${LARGEST_REQUEST} bytes`)
  }
  const [descriptor, ...others] = descriptors
  if (others.length > 0 || lostDescriptors) {
    throw new SocketError('EINVAL', 'a request carries exactly one descriptor')
  }
  if (descriptor === undefined) {
    throw new SocketError('EBADF', 'the request carries no descriptor (SCM_RIGHTS)')
  }
  return descriptor
}
