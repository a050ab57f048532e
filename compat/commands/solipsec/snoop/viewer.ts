/**
 * What becomes of each frame: opened, judged by the filter, printed and written.
 *
 * @module
 */
import { Bursts } from '../../../../agent/capture/bursts.ts'
import type { Frame, Verdict } from '../../../../agent/capture/frame.ts'
import type { KeyRing } from '../../../../agent/capture/key-ring.ts'
import { PcapngWriter } from '../../../../agent/capture/pcapng-writer.ts'
import { Uncoverer } from '../../../../agent/capture/uncover.ts'
import type { Filter } from '../../../solaris/snoop/filter/index.ts'
import {
  hexLines,
  type PrintOptions,
  summaryLines,
  verboseLines,
} from '../../../solaris/snoop/print/index.ts'
import type { Output } from '../../support/io.ts'
import type { Request } from './arguments.ts'

/** What a viewer is made of. */
export interface ViewerParts {
  readonly request: Request
  readonly ring: KeyRing | undefined
  readonly filter: Filter
  readonly names: Pick<PrintOptions, 'hostName' | 'serviceName'>
  readonly stdout: Output
  /** Takes the bytes of the file of `-w`. */
  readonly write: ((bytes: Uint8Array) => void) | undefined
}

export class Viewer {
  seen = 0
  /** Those that the filter let pass. */
  shown = 0
  /** Packets with AH or ESP, by what became of the innermost that was found. */
  readonly verdicts = new Map<Verdict, number>()
  /** For the column of `-D`. */
  dropped = 0
  readonly #parts: ViewerParts
  readonly #uncoverer: Uncoverer | undefined
  readonly #bursts = new Bursts()
  readonly #writer: PcapngWriter | undefined
  readonly #options: { -readonly [Key in keyof PrintOptions]: PrintOptions[Key] }

  constructor(parts: ViewerParts) {
    const { request, ring, write, names } = parts
    this.#parts = parts
    this.#uncoverer = ring && new Uncoverer(ring)
    this.#writer = write && new PcapngWriter(write)
    this.#options = {
      numbers: request.input.kind === 'file',
      ...(request.time && { time: request.time }),
      sizes: request.sizes,
      layers: request.style === 'layers',
      ...names,
    }
  }

  /** @returns false where there is no need for more */
  view(frame: Frame): boolean {
    const { request } = this.#parts
    if (frame.number > request.last) return false
    this.seen++
    if (frame.number < request.first) return true
    const inside = this.#uncover(frame)
    if (!isSpoilt(inside) || !this.#seeBurst(frame)) this.#see(frame, inside)
    return this.shown < request.count && !this.#isUseless()
  }

  #uncover(frame: Frame): Frame {
    return this.#uncoverer?.uncover(frame) ?? frame
  }

  /**
   * Packets of ESP in UDP that the kernel shows as one: as a whole they are no ESP.
   *
   * @returns false where it is none; nothing has happened then
   */
  #seeBurst(frame: Frame): boolean {
    const { ring } = this.#parts
    if (!ring) return false
    let isBurst = false
    for (const part of this.#bursts.split(
      frame,
      (port) => ring.hasPort(port),
      (spi) => ring.hasSpi(spi),
    )) {
      const inside = this.#uncover(part)
      if (!isBurst && inside.covers[0]?.verdict !== 'opened') break
      isBurst = true
      this.#see(part, inside)
    }
    if (!isBurst) this.#uncover(frame)
    return isBurst
  }

  #see(frame: Frame, inside: Frame): void {
    const { request, filter } = this.#parts
    if (this.shown >= request.count || !matches(filter, frame, inside)) return
    const verdict = inside.covers.at(-1)?.verdict
    if (verdict !== undefined) this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1)
    this.shown++
    this.#writer?.write(inside)
    if (request.isTextWanted) this.#print(inside)
  }

  /** Whoever read what we print has gone, and printing is all that is to be done. */
  #isUseless(): boolean {
    return this.#parts.stdout.isClosed === true && !this.#writer
  }

  #print(frame: Frame): void {
    const { request, stdout } = this.#parts
    const options = this.#options
    options.first ??= frame.time
    const lines = request.style === 'verbose' ? verboseLines(frame, options) : summaryLines(frame, options)
    const drops = request.drops && request.style !== 'verbose' ? `drops: ${this.dropped} ` : ''
    let text = ''
    for (const line of lines) text += `${drops}${line}\n`
    if (request.hexadecimal) {
      const { offset, length } = request.hexadecimal
      for (const line of hexLines(frame, offset, length)) text += `${line}\n`
      text += '\n'
    }
    stdout.write(text)
    options.previous = frame.time
  }

  /** Everything so far is handed on. */
  flush(): void {
    this.#writer?.flush()
    if (this.#parts.request.isTextWanted) this.#parts.stdout.flush()
  }
}

function isSpoilt({ covers: [outermost] }: Frame): boolean {
  return outermost?.verdict === 'wrong ICV' || outermost?.verdict === 'malformed'
}

/**
 * A packet is judged by what was inside; of a tunnel, whose inside has other addresses, the packet around it may match as
 * well.
 */
function matches(filter: Filter, frame: Frame, inside: Frame): boolean {
  if (filter(inside)) return true
  return inside !== frame && inside.covers.some(({ mode }) => mode === 'tunnel') && filter(frame)
}
