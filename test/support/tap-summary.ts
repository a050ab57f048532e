/**
 * What one test file said in TAP, counted honestly: leaf points only, a TODO is a failure, and a file that broke
 * off, said nothing or ended with an error has failed whatever it had said before.
 *
 * @module
 */
import { Parser, type Result } from 'tap-parser'

/** One failed point, or one failure of the file as a whole. */
export interface Failure {
  /** Names of the enclosing tests and of the point, as TAP gives them. */
  readonly name: string
  /** The YAML block below the point. */
  readonly diag?: unknown
}

/** Counts of leaf points and the failures among them: `failures.length === failed`. */
export interface Summary {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly failures: readonly Failure[]
}

/** How the process of the file ended; `reason` is set where the runner ended it ("over 120 s"). */
export interface Ending {
  readonly code: number | null
  readonly signal?: string | null
  readonly reason?: string
}

class Tally {
  passed = 0
  skipped = 0
  readonly failures: Failure[] = []

  /** Counts what `parser` says, and each of its subtests. */
  watch(parser: Parser): void {
    let failuresBeforeChild = 0
    let pointsBeforeChild = 0
    parser.on('child', (child: Parser) => {
      failuresBeforeChild = this.failures.length
      pointsBeforeChild = this.points
      this.watch(child)
    })
    parser.on('assert', (point: Result) => {
      // The point that closes a subtest only repeats it, unless the fault lies in no leaf: its plan, its time.
      const repeats = point.closingTestPoint && !point.skip && !point.todo
      // A test without points of its own, a property that throws where it does not hold, is a leaf itself.
      const isLeaf = this.points === pointsBeforeChild
      if (repeats && !isLeaf && (point.ok || this.failures.length > failuresBeforeChild)) return
      this.#count(point)
    })
  }

  get points(): number {
    return this.passed + this.skipped + this.failures.length
  }

  #count(point: Result): void {
    if (point.todo) this.fail(`${point.fullname} # TODO`, point.diag)
    else if (point.skip) this.skipped += 1
    else if (point.ok) this.passed += 1
    else this.fail(point.fullname, point.diag)
  }

  fail(name: string, diag?: unknown): void {
    this.failures.push({ name, ...(diag ? { diag } : {}) })
  }
}

const endingText = ({ code, signal, reason }: Ending): string | undefined => {
  if (reason) return reason
  if (signal) return `killed by ${signal}`
  return code === 0 ? undefined : `exit code ${code}`
}

/**
 * Counts the TAP of one test file.
 *
 * @param tap - everything the file wrote to standard output
 * @param ending - how its process ended
 */
export function summarise(tap: string, ending: Ending): Summary {
  const tally = new Tally()
  const parser = new Parser()
  tally.watch(parser)
  parser.end(tap)
  const { results } = parser
  // tap-parser calls every empty plan skipped, a file without any TAP too.
  if (/^1\.\.0\s*#\s*skip/im.test(tap)) tally.skipped += 1
  const end = endingText(ending)
  if (end && (ending.reason || tally.failures.length === 0)) tally.fail(`the file itself: ${end}`)
  else if (tally.points === 0) tally.fail('the file itself: no test in it')
  else if (!results?.ok && tally.failures.length === 0) tally.fail('the file itself: its TAP breaks off')
  const { passed, skipped, failures } = tally
  return { passed, failed: failures.length, skipped, failures }
}
