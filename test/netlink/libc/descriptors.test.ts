import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Parcel, receiveParcel, sendParcel } from '../../../netlink/libc/descriptors.ts'
import { EAGAIN } from '../../../netlink/libc/errno.ts'
import * as libc from '../../../netlink/libc/socket.ts'

/** Two ends of a connection. */
function connection(t: { teardown(task: () => void): void }): [number, number] {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-parcel-'))
  const address = libc.unixAddress(join(folder, 'socket'))
  const make = () => libc.socket(libc.AF_UNIX, libc.SOCK_SEQPACKET, 0)
  const [listener, client] = [make(), make()]
  libc.bind(listener, address)
  libc.listen(listener, 1)
  libc.connect(client, address)
  const server = libc.accept(listener)
  t.teardown(() => {
    for (const fd of [listener, client, server]) libc.close(fd)
    rmSync(folder, { recursive: true })
  })
  return [client, server]
}

function received(fd: number, buffer: Uint8Array): Parcel {
  const parcel = receiveParcel(fd, buffer)
  if (typeof parcel === 'number') throw new Error(`errno ${-parcel}`)
  for (const one of parcel.descriptors) closeSync(one)
  return parcel
}

t.test('messages with any number of descriptors', async (t) => {
  const [client, server] = connection(t)
  const file = openSync('/dev/null', 'r')
  t.teardown(() => closeSync(file))
  const buffer = new Uint8Array(8)
  for (const count of [0, 1, 2, 5, 253]) {
    sendParcel(client, Uint8Array.of(1, 2, 3), new Array<number>(count).fill(file))
    const { length, descriptors, lostDescriptors } = received(server, buffer)
    t.same([length, descriptors.length, lostDescriptors], [3, count, false])
    t.same([...buffer.subarray(0, 3)], [1, 2, 3])
    t.equal(new Set([file, ...descriptors]).size, count + 1, 'each is a new one')
  }
  t.throws(() => sendParcel(client, buffer, new Array<number>(254).fill(file)), RangeError)
})

t.test('what does not fit is told by its length; nothing is written beyond', async (t) => {
  const [client, server] = connection(t)
  sendParcel(client, new Uint8Array(100).fill(7))
  const whole = new Uint8Array(16)
  t.equal(received(server, whole.subarray(0, 8)).length, 100)
  t.same([...whole], [...new Array(8).fill(7), ...new Array(8).fill(0)])
})

t.test('nothing there, and nobody', async (t) => {
  const [client, server] = connection(t)
  const buffer = new Uint8Array(8)
  t.equal(receiveParcel(server, buffer), -EAGAIN)
  sendParcel(client, new Uint8Array(0))
  t.same(received(server, buffer), { length: 0, descriptors: [], lostDescriptors: false })
})
