/**
 * Hostile texts for parsers: good ones, broken at random, many of them, with an eye on time and memory. Much faster than
 * a property test, for there is nothing to shrink; a text that does harm is told whole.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What is done to a parser. */
export interface Attack {
  /** Good texts to begin with. */
  readonly seeds: readonly string[]
  /** Pieces that mean something to the parser. */
  readonly words: readonly string[]
  /** Has the parser take a text. Throws where something happens that must not. */
  take(text: string): void
}

/** What it came to. */
export interface Toll {
  readonly inputs: number
  /** Length of the longest input in characters. */
  readonly longest: number
  /** Processor time of the slowest input, in milliseconds. */
  readonly slowest: number
  /** What the heap has grown by between the first tenth of the inputs and their end, in bytes. */
  readonly kept: number
  /** What the resident memory was at its highest, above that at the beginning, in bytes. */
  readonly peak: number
}

/** An input was too slow, or the parser threw. */
export class HarmError extends Error {
  constructor(text: string, why: unknown) {
    const shown = text.length > 2000 ? `${text.slice(0, 2000)} and ${text.length - 2000} more` : text
    super(`${why instanceof Error ? (why.stack ?? why.message) : why}\ninput: ${JSON.stringify(shown)}`)
    this.name = 'HarmError'
  }
}

/** Processor time that one input may take, in milliseconds. */
const MOST_MS = 1000
/** One input of so many is a very long one, and a few of the first. */
const LONG_EVERY = 10_000
const LONG_FIRST = { every: 500, below: 5000 }
const LONG_LENGTH = 200_000
const STRANGE = [
  ...'{}[]()<>"\'`\\/|#,;:.-+*=!?%&@~^$_ \t\n\r\0\u0085\u2028\ufeff\ud800é',
  ...['\\\n', '\r\n', '//', '0x', '-1', '4294967296', '18446744073709551616', '1e999', '999999999999', '::'],
  ...['constructor', '__proto__', 'toString', '%s%n', '\x1b[2J', '0'.repeat(70), 'a'.repeat(300)],
]

/** Feeds `count` texts to a parser. @param seed the same texts for the same seed @throws HarmError */
export function attack({ seeds, words, take }: Attack, count: number, seed: number): Toll {
  const random = generator(seed)
  const pieces = [...STRANGE, ...words, ...words]
  const before = process.memoryUsage.rss()
  let [base, longest, slowest, peak] = [0, 0, 0, 0]
  const first = Math.floor(count / 10)
  for (let i = 0; i < count; i++) {
    if (i === first) base = heapSize()
    const text = spoil(seeds[random(seeds.length)] ?? '', seeds, pieces, random)
    const isLong = i < LONG_FIRST.below ? i % LONG_FIRST.every === 0 : random(LONG_EVERY) === 0
    const input = isLong ? lengthen(text, random) : text
    const time = timed(input, take)
    longest = Math.max(longest, input.length)
    slowest = Math.max(slowest, time)
    if (i % 256 === 0) peak = Math.max(peak, process.memoryUsage.rss() - before)
  }
  return { inputs: count, longest, slowest, kept: heapSize() - base, peak }
}

/** Processor time, in milliseconds, that nobody asks for the growth of: the collection of garbage alone may take that. */
const UNASKED_MS = process.env.SOLIPSEC_FUZZ === undefined ? 200 : 400
/** Ten times the input may take so many times the time. Quadratic growth is a hundred times. */
const MOST_GROWTH = 20
/** How many pieces the larger of two texts has. */
const PIECES = process.env.SOLIPSEC_FUZZ === undefined ? 10_000 : 20_000

/**
 * Feeds a text of 10,000 pieces (in the longer mode 20,000), and one of a tenth of them, to a parser. Where the larger one takes a noticeable time, it may not be
 * out of proportion to the smaller one's, whatever machine this is: what is quadratic takes seconds here.
 *
 * @param make a text of so many pieces
 * @returns processor time of the larger one, in milliseconds
 * @throws HarmError
 */
export function growth(make: (count: number) => string, take: (text: string) => void): number {
  const large = make(PIECES)
  let after = once(large, take)
  if (after <= UNASKED_MS) return after
  const small = make(PIECES / 10)
  let before = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 3; tries++) {
    before = Math.min(before, once(small, take))
    if (after <= UNASKED_MS + MOST_GROWTH * before) return after
    after = Math.min(after, once(large, take))
  }
  throw new HarmError(large, `${before} ms for a tenth of it, ${after} ms for ${large.length} characters`)
}

function timed(text: string, take: (text: string) => void): number {
  let time = Number.POSITIVE_INFINITY
  // What only the collection of garbage has made slow is not so twice.
  for (let tries = 0; tries < 3 && time > MOST_MS; tries++) {
    time = once(text, take)
  }
  if (time > MOST_MS) throw new HarmError(text, `it took ${time} ms for ${text.length} characters`)
  return time
}

/** More items than a call can have arguments. */
const CROWD = 150_000
/** Characters of a piece that so many are made of. */
const SMALL_PIECE = 12
/** What takes more hangs: it is meant to be a tenth of that. */
const HANGS_MS = 10_000

/**
 * Feeds a text of 150,000 pieces to a parser, where the pieces are small.
 *
 * @returns processor time in milliseconds
 * @throws HarmError
 */
export function crowd(make: (count: number) => string, take: (text: string) => void): number | undefined {
  if (make(100).length > 100 * SMALL_PIECE) return undefined
  const text = make(CROWD)
  const time = once(text, take)
  if (time > HANGS_MS) throw new HarmError(text, `it took ${time} ms for ${text.length} characters`)
  return time
}

/** @returns milliseconds of processor time: others on this machine do not count */
function once(text: string, take: (text: string) => void): number {
  const start = process.cpuUsage()
  try {
    take(text)
  } catch (error) {
    throw new HarmError(text, error)
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

type Random = (below: number) => number

/** One to six random changes. */
function spoil(text: string, seeds: readonly string[], pieces: readonly string[], random: Random): string {
  let out = text
  for (let changes = 1 + random(6); changes > 0; changes--) {
    const at = random(out.length + 1)
    const end = at + random(random(4) === 0 ? 80 : 12)
    const piece = pieces[random(pieces.length)] ?? ''
    switch (random(8)) {
      case 0:
        out = out.slice(0, at) + out.slice(end)
        break
      case 1:
        out = out.slice(0, at) + piece + out.slice(end)
        break
      case 2:
        out = `${out.slice(0, at)} ${piece} ${out.slice(at)}`
        break
      case 3:
        out =
          out.slice(0, at) + String.fromCharCode(random(random(4) === 0 ? 65536 : 128)) + out.slice(at + 1)
        break
      case 4: {
        const other = seeds[random(seeds.length)] ?? ''
        const from = random(other.length + 1)
        out = out.slice(0, at) + other.slice(from, from + random(120)) + out.slice(at)
        break
      }
      case 5:
        out = out.slice(0, at) + out.slice(at, end).repeat(1 + random(8)) + out.slice(end)
        break
      case 6:
        out = out.slice(0, at)
        break
      default:
        out = out.slice(0, at) + piece + out.slice(at)
    }
  }
  return out
}

/** A piece of it, or all of it, very often. */
function lengthen(text: string, random: Random): string {
  const at = random(text.length + 1)
  const piece = random(3) === 0 ? text : text.slice(at, at + 1 + random(40))
  if (piece === '') return text
  return text.slice(0, at) + piece.repeat(Math.ceil(LONG_LENGTH / piece.length)) + text.slice(at)
}

/** Small numbers from a seed: mulberry32. */
function generator(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below)
  }
}

let collect: (() => void) | undefined

/** What is in use once everything that can go has gone. */
function heapSize(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
  return process.memoryUsage().heapUsed
}
