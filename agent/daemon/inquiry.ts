/**
 * Questions for the addresses of hosts, without waiting longer than somebody wants to.
 *
 * A look-up blocks until the name service has answered or given up, which takes half a minute where DNS cannot be reached,
 * and cannot be broken off. So it is done by a program of our own that goes when it has asked for all: look-ups of one of
 * many names do not wait for each other there, the program can be ended at any time, and it is in the network namespace
 * of the thread that asks, which threads of Node's pool are not (see `netlink/libc/netns.ts`).
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Address, parseAddress } from '../model/address.ts'

/** A question that is under way. */
export interface Question {
  /** When it is asked, after whatever it takes to do so. Never rejected. */
  readonly begun: Promise<void>
  /** When all is answered that will be. Never rejected. */
  readonly ended: Promise<void>
  stop(): void
}

/** Asks for all these names, and tells of each as soon as it is known; of one without an answer that there are none. */
export type Ask = (
  names: readonly string[],
  tell: (name: string, addresses: readonly Address[]) => void,
) => Question

/** Name of the asking process in process lists (at most 15 characters). */
const ASKER_NAME = 'solipsec-names'
/** Of these threads, libuv lets half do look-ups at the same time. */
const THREADS = '64'

/** No name service takes that long: who says nothing for so many milliseconds hangs. */
const SILENCE_MS = 600_000

/** Asks the system: the name service switch says whom. */
export const askSystem: Ask = (names, tell) => askPatiently(names, tell, SILENCE_MS)

/** The same, @param silence milliseconds without an answer after which there will be none any more */
export function askPatiently(names: readonly string[], tell: Parameters<Ask>[1], silence: number): Question {
  try {
    return startAsking(names, tell, silence)
  } catch {
    // Without a descriptor left there is no program, and no answer this time.
    return { begun: Promise.resolve(), ended: Promise.resolve(), stop: () => {} }
  }
}

function startAsking(names: readonly string[], tell: Parameters<Ask>[1], silence: number): Question {
  const program = fileURLToPath(new URL('./name-asker.js', import.meta.url))
  const child = spawn(process.execPath, [program], {
    argv0: ASKER_NAME,
    cwd: '/',
    env: environment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const failed = new Promise<void>((resolve) => child.on('error', () => resolve()))
  // It may have ended before it has read its names.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(names))
  const begun = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  const stop = () => void child.kill('SIGKILL')
  const timer = setTimeout(stop, silence)
  child.stdout.on('data', () => timer.refresh())
  const ended = Promise.race([failed, takeAnswers(child.stdout, tell)])
    .catch(() => {})
    .finally(() => clearTimeout(timer))
  return {
    begun: Promise.race([begun, ended]),
    ended,
    stop,
  }
}

async function takeAnswers(from: Readable, tell: Parameters<Ask>[1]): Promise<void> {
  for await (const line of createInterface({ input: from })) {
    const [name, texts = []] = JSON.parse(line) as [string?, string[]?]
    if (name === undefined) continue
    tell(
      name,
      texts.flatMap((text) => parseAddress(text) ?? []),
    )
  }
}

/** What the C library's resolver heeds (resolv.conf(5), hosts(5)), so that the program finds what we would. */
function environment(): NodeJS.ProcessEnv {
  const { HOSTALIASES, LOCALDOMAIN, RES_OPTIONS } = process.env
  return {
    UV_THREADPOOL_SIZE: THREADS,
    ...(HOSTALIASES && { HOSTALIASES }),
    ...(LOCALDOMAIN && { LOCALDOMAIN }),
    ...(RES_OPTIONS && { RES_OPTIONS }),
  }
}

/** Milliseconds after which a question counts as asked. To start a program takes this long on no machine that works. */
const START_MS = 10_000

/** A name that was asked for. */
interface Pending {
  readonly question: Question
  /** Milliseconds of a clock that only goes forward. */
  since: number
  readonly settled: Promise<void>
  settle(): void
}

/** What was asked for, and what was answered. No name is asked for twice at the same time. */
export class Inquiry {
  readonly #ask: Ask
  readonly #answers = new Map<string, readonly Address[]>()
  readonly #pending = new Map<string, Pending>()

  constructor(ask: Ask = askSystem) {
    this.#ask = ask
  }

  /**
   * Asks for names, and waits until all are answered, but no longer than until each was asked for `patience` milliseconds
   * ago. Questions go on after that, and what comes by them counts as well.
   *
   * @param isNetworkOther interfaces have changed: who has not answered for so long may answer now
   */
  async ask(names: readonly string[], patience: number, isNetworkOther = false): Promise<void> {
    const now = performance.now()
    if (isNetworkOther) this.#stop(({ since }) => now - since > patience)
    const fresh = names.filter((name) => !this.#pending.has(name))
    if (fresh.length > 0) this.#begin(fresh, now)
    const waited = names.flatMap((name) => this.#pending.get(name) ?? [])
    const questions = new Set(waited.map(({ question }) => question))
    await doneWithin(
      [...questions].map(({ begun }) => begun),
      START_MS,
    )
    const latest = waited.reduce((time, { since }) => Math.max(time, since), 0)
    await doneWithin(
      waited.map(({ settled }) => settled),
      latest + patience - performance.now(),
    )
  }

  /** The last addresses that were heard of. Empty where none were. */
  addressesOf(name: string): readonly Address[] {
    return this.#answers.get(name) ?? []
  }

  /** What was answered is not to count any more. */
  forget(): void {
    this.#answers.clear()
  }

  close(): void {
    this.#stop(() => true)
  }

  #begin(names: readonly string[], since: number): void {
    const question = this.#ask(names, (name, addresses) => {
      if (addresses.length > 0) this.#answers.set(name, addresses)
      this.#settle(name, question)
    })
    for (const name of names) {
      let settle = () => {}
      const settled = new Promise<void>((resolve) => {
        settle = resolve
      })
      this.#pending.set(name, { question, since, settled, settle })
    }
    const end = () => {
      for (const name of names) this.#settle(name, question)
    }
    void question.begun.then(() => {
      const now = performance.now()
      for (const name of names) {
        const pending = this.#pending.get(name)
        if (pending?.question === question) pending.since = now
      }
    })
    void question.ended.then(end)
  }

  #settle(name: string, question: Question): void {
    const pending = this.#pending.get(name)
    if (pending?.question !== question) return
    this.#pending.delete(name)
    pending.settle()
  }

  #stop(isMeant: (pending: Pending) => boolean): void {
    for (const [name, pending] of this.#pending) {
      if (!isMeant(pending)) continue
      pending.question.stop()
      this.#settle(name, pending.question)
    }
  }
}

async function doneWithin(all: readonly Promise<void>[], milliseconds: number): Promise<void> {
  if (all.length === 0 || milliseconds <= 0) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([Promise.all(all), late])
  clearTimeout(timer)
}
