/**
 * A round over large tables leaves much behind that is needed no more, and nothing makes the engine tidy up while the agent
 * is idle: its collector runs when something is allocated.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Below this many bytes of heap there is nothing to gain. */
const WORTHWHILE = 64 * 1024 * 1024
/** Milliseconds of quiet. */
const QUIET_MS = 500

let collect: (() => void) | undefined

/** Gives memory back some time after the last call. */
export class Tidying {
  #timer: NodeJS.Timeout | undefined

  plan(): void {
    clearTimeout(this.#timer)
    if (process.memoryUsage().heapTotal < WORTHWHILE) return
    this.#timer = setTimeout(tidyUp, QUIET_MS).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

function tidyUp(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
