/**
 * Takes frames one after the other, opens them, has them judged, and looks twice before it calls something wrong.
 *
 * @module
 */
import { mode } from '../../netlink/xfrm/constants.ts'
import { Bursts } from '../capture/bursts.ts'
import type { Frame } from '../capture/frame.ts'
import { Uncoverer } from '../capture/uncover.ts'
import { Echoes } from './echoes.ts'
import { Gaps } from './gaps.ts'
import { Judge, type Seen, timeOf } from './judge.ts'
import type { LiveTables } from './live-tables.ts'
import { interfaceOf } from './route.ts'
import type { Snapshot } from './snapshot.ts'
import type { Finding, Tally } from './tally.ts'
import { isFine, type Judgement } from './verdict.ts'

/** Milliseconds in which the kernel shows what was inside a packet. */
const ECHO_TIME = 1000

export interface InspectorOptions {
  readonly tables: LiveTables
  readonly tally: Tally
  /** Called with each packet that is not fine, if it has a finding. */
  readonly found?: (finding: Finding) => void
  /** Brings {@link Inspector.gaps} up to date. */
  readonly lookForGaps?: () => void
}

export class Inspector {
  /** When packets were lost to us; the beginning of the capture is one of these times. */
  readonly gaps = new Gaps()
  readonly #options: InspectorOptions
  readonly #uncoverer: Uncoverer
  readonly #judge: Judge
  readonly #echoes = new Echoes()
  readonly #bursts = new Bursts()
  readonly #isPort: (port: number) => boolean
  readonly #isSpi = (spi: number) => this.#options.tables.current.hasSpi(spi)

  constructor(options: InspectorOptions) {
    const { ring } = options.tables
    this.#options = options
    this.#uncoverer = new Uncoverer(ring)
    this.#isPort = (port) => ring.hasPort(port)
    this.#judge = new Judge(this.#isPort)
  }

  /** A frame of a packet socket, with the cooked header. @throws NetlinkError where policies cannot be read */
  see(frame: Frame): void {
    if (!this.#seeParts(frame)) this.#seeOne(frame)
  }

  /** @returns false where it is a single packet */
  #seeParts(frame: Frame): boolean {
    let isBurst = false
    for (const part of this.#bursts.split(frame, this.#isPort, this.#isSpi)) {
      // What looks like a header may be chance. If the whole is authentic, it is.
      if (!isBurst && !this.#isOpened(part) && this.#isOpened(frame)) return false
      isBurst = true
      this.#seeOne(part)
    }
    return isBurst
  }

  #isOpened(frame: Frame): boolean {
    return this.#uncoverer.uncover(frame).covers[0]?.verdict === 'opened'
  }

  #seeOne(frame: Frame): void {
    const { tables } = this.#options
    const { current } = tables
    const seen = this.#uncover(frame)
    let judgement = this.#judge.judge(seen, current)
    if (this.#isEcho(seen, judgement, current)) judgement = { category: 'echo', way: 'in' }
    else if (!isFine(judgement.category)) judgement = this.#confirm(seen, judgement, current)
    this.#note(frame, judgement)
  }

  #uncover(frame: Frame): Seen {
    const inside = this.#uncoverer.uncover(frame)
    return { frame, inside, path: this.#uncoverer.path }
  }

  /** What the kernel takes out of a tunnel it shows once more; what was in transport mode it does not. */
  #isEcho({ frame, inside, path }: Seen, { way }: Judgement, { facts }: Snapshot): boolean {
    if (way !== 'in' || facts.dataPath !== 'kernel') return false
    const { ip } = this.#judge
    if (inside.covers.length === 0) return this.#echoes.take(frame.bytes, ip, timeOf(frame))
    const isOpened = inside.covers.at(-1)?.verdict === 'opened'
    if (isOpened && path.some(({ isTunnel }) => isTunnel))
      this.#echoes.expect(inside.bytes, ip, timeOf(frame))
    return false
  }

  /** Fails only what fails under all policies and SAs that may have been in force. */
  #confirm(seen: Seen, first: Judgement, judged: Snapshot): Judgement {
    const { tables } = this.#options
    const time = timeOf(seen.frame)
    if (!tables.settle(time)) {
      return { ...first, category: 'notChecked', seen: `${first.seen}, while rules or SAs were changing` }
    }
    // With new keys it may be opened now; what was put together of fragments is not there any more.
    const isWhole = !this.#judge.outer.isFragment
    const again = tables.current !== judged && isWhole ? this.#uncover(seen.frame) : seen
    let found: Judgement | undefined
    for (const snapshot of tables.at(time)) {
      const next = this.#judge.judge(again, snapshot)
      if (isFine(next.category)) return next
      found ??= next
    }
    return this.#orEcho(found ?? first, time)
  }

  /** What was inside a packet that was not looked at cannot be told from what came in clear. */
  #orEcho(judgement: Judgement, time: number): Judgement {
    const { category, policy } = judgement
    if (category !== 'arrivedInClear' || this.#options.tables.current.facts.dataPath !== 'kernel')
      return judgement
    if (!policy?.templates.some((tmpl) => tmpl.mode === mode.TUNNEL)) return judgement
    this.#options.lookForGaps?.()
    if (!this.gaps.touches(time - ECHO_TIME, time)) return judgement
    return {
      ...judgement,
      category: 'notChecked',
      seen: 'in clear, perhaps out of a tunnel packet that was not seen',
    }
  }

  #note(frame: Frame, judgement: Judgement): void {
    const { tally, found } = this.#options
    const finding = tally.add(judgement, this.#judge.flow, interfaceOf(frame), timeOf(frame))
    if (finding) found?.(finding)
  }
}
