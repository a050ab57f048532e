/**
 * `solipsec explain`: which rule decides for a packet, and what becomes of it. Changes nothing.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { explain, isDifferent } from '../../../agent/explain/explain.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import type { Io } from '../support/io.ts'
import { interpret, optionTable, type Request } from './explain/arguments.ts'
import { answerJson } from './explain/json-report.ts'
import { journeyOf } from './explain/passage.ts'
import { readEnds, readUpperLayer } from './explain/question.ts'
import { placeOf } from './explain/situation.ts'
import { answerText } from './explain/text-report.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec explain', options: optionTable, interpret, carryOut })

/** The kernel does otherwise than the rules say. */
const DIFFERENT = 2

async function carryOut(request: Request, io: Io): Promise<number> {
  const ends = readEnds(request.source, request.destination, systemResolver)
  const upper = readUpperLayer(request.upper, ends, systemResolver)
  const own =
    request.way && !request.isForwarded ? (request.way === 'out' ? ends.source : ends.destination) : undefined
  const place = await placeOf(request, own, io)
  const { situation, routeTo } = place
  const journey = journeyOf(ends, upper, request, situation, routeTo)
  const answer = explain(journey.packet, journey.passage, situation)
  const larvalDrop = dropsWhileWaiting()
  const hasColour = io.stdout.isTTY && !io.env.NO_COLOR
  io.stdout.write(
    request.json
      ? answerJson(answer, place, journey, larvalDrop)
      : answerText(answer, place, journey, { isVerbose: request.isVerbose, hasColour, larvalDrop }),
  )
  return isDifferent(answer) ? DIFFERENT : 0
}

/** As every kernel does unless told otherwise. */
function dropsWhileWaiting(): boolean {
  try {
    return readFileSync('/proc/sys/net/core/xfrm_larval_drop', 'utf8').trim() !== '0'
  } catch {
    return true
  }
}
