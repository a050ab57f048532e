/**
 * What a change does to the world outside of its process, one effect after the other: datagrams to the kernel, files, other
 * programs. Each of them can be the last one, as if the process had been killed just then, or can fail.
 *
 * Node's own modules and the prototypes of ours are changed meanwhile, so the code under test is the very code that users
 * run. Only synchronous code can be interfered with.
 *
 * @module
 */
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Channel } from '../../../../netlink/socket/channel.ts'
import { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'

/** Thrown where the process is to have died. */
class Death extends Error {}

type Function = (...args: unknown[]) => unknown
/** Does the call, or something else. */
type Around = (call: () => unknown, args: readonly unknown[]) => unknown

/** Functions of Node that change something. */
const FILES = ['writeFileSync', 'renameSync', 'rmSync', 'mkdirSync'] as const
const PROGRAMS = ['spawnSync', 'spawn'] as const

interface Interference {
  readonly datagram?: Around
  readonly file?: (name: (typeof FILES)[number]) => Around
  readonly program?: Around
}

/** Runs something with other functions around what has effects. */
function interfere<T>({ datagram, file, program }: Interference, use: () => T): T {
  const undo: (() => void)[] = []
  const wrap = (owner: object, name: string, around: Around | undefined) => {
    if (!around) return
    const functions = owner as Record<string, Function>
    const original = functions[name]
    if (!original) throw new Error(`there is no ${name}`)
    functions[name] = function (this: unknown, ...args) {
      return around(() => original.apply(this, args), args)
    }
    undo.push(() => {
      functions[name] = original
    })
  }
  wrap(Channel.prototype, 'send', datagram)
  for (const name of FILES) wrap(fs, name, file?.(name))
  for (const name of PROGRAMS) wrap(childProcess, name, program)
  syncBuiltinESMExports()
  try {
    return use()
  } finally {
    for (const restore of undo) restore()
    syncBuiltinESMExports()
  }
}

/** Types of XFRM's messages that only ask: linux/xfrm.h. Those of rtnetlink are above them all, and nothing else is sent. */
const QUESTIONS = new Set([0x12, 0x15, 0x1f, 0x23, 0x25])
const LAST_XFRM = 0x29

/** True for a datagram that changes something, or may do so. */
function isChange([bytes]: readonly unknown[]): boolean {
  const type = (bytes as Uint8Array)[4] ?? 0
  return type <= LAST_XFRM && !QUESTIONS.has(type)
}

/**
 * Lets the process that does something die in front of an effect: nothing of what it does from then on has any. Of a file
 * that it is about to write, the first half is written.
 *
 * @param at how many effects there are before that
 * @returns false where it came to its end before
 */
export function dieAt(at: number, use: () => void): boolean {
  let left = at
  let isDead = false
  const mortal =
    (lastDeed: (args: readonly unknown[]) => void): Around =>
    (call, args) => {
      if (isDead) throw new Death()
      if (left-- > 0) return call()
      isDead = true
      lastDeed(args)
      throw new Death()
    }
  const nothing = () => {}
  const die = mortal(nothing)
  const { writeFileSync } = fs
  try {
    interfere(
      {
        // Who dies before a question dies after the last effect before it.
        datagram: (call, args) => (isDead || isChange(args) ? die(call, args) : call()),
        program: mortal(nothing),
        file: (name) =>
          mortal((args) => {
            if (name !== 'writeFileSync') return
            const [path, text, options] = args as [string, string, fs.WriteFileOptions]
            writeFileSync(path, text.slice(0, text.length >> 1), options)
          }),
      },
      use,
    )
  } catch (error) {
    if (!isDead) throw error
  }
  return isDead
}

/** Lets datagrams fail as the kernel's socket would, before the kernel has seen them. @returns how many there were */
export function failToSend(at: readonly number[], error: () => Error, use: () => void): number {
  let number = 0
  const around: Around = (call) => {
    if (at.includes(number++)) throw error()
    return call()
  }
  interfere({ datagram: around }, use)
  return number
}

/** The answers to a datagram are lost, as where the receive buffer is full: the kernel has done what it was told. */
export function loseAnswers(at: readonly number[], use: () => void): void {
  let number = -1
  const { receive } = Channel.prototype
  Channel.prototype.receive = function (wait) {
    const received = receive.call(this, wait)
    return at.includes(number) && received.kind === 'datagram' ? { kind: 'overrun' } : received
  }
  try {
    const around: Around = (call) => {
      number++
      return call()
    }
    interfere({ datagram: around }, use)
  } finally {
    Channel.prototype.receive = receive
  }
}

/** Of all messages of batches, some are others, which the kernel refuses. @returns how many there were */
export function spoilMessages(at: readonly number[], refused: XfrmMessage, use: () => void): number {
  let number = 0
  const { batchOf } = XfrmConnection.prototype
  XfrmConnection.prototype.batchOf = function <T>(
    this: XfrmConnection,
    items: readonly T[],
    messageOf: (item: T) => XfrmMessage,
    options: { readonly stopOnError?: boolean } = {},
  ) {
    return batchOf.call(
      this,
      items,
      (item: unknown) => (at.includes(number++) ? refused : messageOf(item as T)),
      options,
    )
  }
  try {
    use()
  } finally {
    XfrmConnection.prototype.batchOf = batchOf
  }
  return number
}
