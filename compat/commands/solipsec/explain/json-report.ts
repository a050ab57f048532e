/**
 * The answer for programs: `schemas/solipsec-explain.schema.json`.
 *
 * @module
 */
import { pathOf, type Wrapping } from '../../../../agent/explain/associations.ts'
import type { Drift } from '../../../../agent/explain/drift.ts'
import { type Answer, type Case, type Explanation, isDifferent } from '../../../../agent/explain/explain.ts'
import type { Lookup } from '../../../../agent/explain/kernel-answer.ts'
import type { Consideration } from '../../../../agent/explain/order.ts'
import type { Packet } from '../../../../agent/explain/packet.ts'
import { hasPorts, isIcmp } from '../../../../agent/explain/packet.ts'
import type { Departure } from '../../../../agent/explain/rules-answer.ts'
import { actionText, mismatchText } from '../../../../agent/explain/words.ts'
import { formatAddress } from '../../../../agent/model/address.ts'
import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import { plainPolicy } from '../../support/policy-text.ts'
import { associationJson, ruleJson } from '../change/words.ts'
import type { Journey } from './passage.ts'
import type { Place } from './situation.ts'
import { kernelFate, withoutSa } from './wording.ts'

type Json = Readonly<Record<string, unknown>>

export function answerJson(
  answer: Answer,
  place: Place,
  { route, passage }: Journey,
  larvalDrop: boolean,
): string {
  const { main, narrower, carried } = answer
  const { kernel } = place.situation
  const value = {
    asked: place.name,
    way: passage.way,
    forwarded: passage.isForwarded,
    ...(passage.tunnel && { tunnel: passage.tunnel.name, isCarried: carried !== undefined }),
    route:
      route.kind === 'found'
        ? { interface: route.route.interface }
        : route.kind === 'no route'
          ? { none: route.why }
          : null,
    isDifferent: isDifferent(answer),
    kernel: 'unknown' in kernel ? { unknown: kernel.unknown } : 'known',
    cases: [
      ...(main ? [caseJson(main, 'general', place.algorithms, larvalDrop)] : []),
      ...narrower.map((one) => caseJson(one, 'narrower', place.algorithms, larvalDrop)),
    ],
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function caseJson(
  { assumed, explanation }: Case,
  kind: string,
  algorithms: AlgorithmTable,
  larvalDrop: boolean,
): Json {
  const { packet, passage, rules, kernel, agreement, drift } = explanation
  const { decider, departure, arrivals, considered } = rules
  const lacking = withoutSa(explanation, larvalDrop)
  return {
    kind,
    assumed,
    packet: packetJson(packet, passage.way),
    decider:
      decider.kind === 'rule'
        ? {
            kind: 'rule',
            index: decider.candidate.index,
            rule: ruleJson(decider.candidate.rule),
            actions: decider.candidate.rule.actions.map((action) => actionText(action, algorithms)),
          }
        : decider.kind === 'latched'
          ? { kind: 'latched', actions: decider.rule.actions.map((action) => actionText(action, algorithms)) }
          : decider,
    considered: considered.asked.map(considerationJson),
    notAsked: considered.notAsked,
    inVain: considered.inVain.map(({ index }) => index),
    ...(departure && { departure: departureJson(departure, algorithms) }),
    ...(arrivals && {
      arrivals: arrivals.map(({ wrapping, isAccepted, why }) => ({
        associations: wrappingJson(wrapping, algorithms),
        isAccepted,
        why,
      })),
    }),
    ...(lacking !== undefined && { withoutAssociation: lacking }),
    ...(agreement && { agreement }),
    ...(kernel && { kernel: kernelJson(kernel, algorithms) }),
    drift: drift.map(driftJson),
  }
}

function packetJson(packet: Packet, way: 'in' | 'out'): Json {
  const { local, remote, protocol, localPort, remotePort, type, code } = packet
  const [source, destination] = way === 'out' ? [local, remote] : [remote, local]
  const [sourcePort, destinationPort] = way === 'out' ? [localPort, remotePort] : [remotePort, localPort]
  return {
    source: formatAddress(source),
    destination: formatAddress(destination),
    protocol,
    ...(hasPorts(protocol) && { sourcePort, destinationPort }),
    ...(isIcmp(protocol) && { type, code }),
  }
}

function considerationJson({ candidate: { index, kind, rule }, match }: Consideration): Json {
  return {
    index,
    kind,
    file: rule.file,
    line: rule.span.line,
    match: match.kind,
    ...(match.kind === 'no' && { part: match.why.part, why: mismatchText(match.why) }),
    ...(match.kind === 'some' && { open: match.open }),
  }
}

function departureJson(departure: Departure, algorithms: AlgorithmTable): Json {
  if (departure.kind !== 'protected') return departure
  const { kind, alternative, wrapping } = departure
  return { kind, alternative: alternative + 1, associations: wrappingJson(wrapping, algorithms) }
}

/** Outermost first. */
function wrappingJson(wrapping: Wrapping, algorithms: AlgorithmTable): Json[] {
  return pathOf(wrapping).map(({ association, reqid }) => ({
    ...associationJson(association, algorithms),
    reqid,
  }))
}

function kernelJson(
  { departure, arrivals, isNotAsked }: NonNullable<Explanation['kernel']>,
  algorithms: AlgorithmTable,
): Json {
  return {
    ...(isNotAsked && { isNotAsked }),
    ...(departure && {
      departure: {
        kind: departure.departure.kind,
        text: kernelFate(departure.departure, algorithms),
        lookups: departure.lookups.map(lookupJson),
      },
    }),
    ...(arrivals && {
      arrivals: arrivals.map(({ isAccepted, lookups }) => ({ isAccepted, lookups: lookups.map(lookupJson) })),
    }),
  }
}

function lookupJson({ direction, mark, isOuter, policy, isOurs }: Lookup): Json {
  return {
    direction,
    mark: `0x${mark.toString(16)}`,
    isOuter,
    ...(policy && { policy: plainPolicy(policy), isOurs }),
  }
}

function driftJson(drift: Drift): Json {
  return {
    kind: drift.kind,
    ...('found' in drift && { found: plainPolicy(drift.found) }),
    ...('wanted' in drift && { wanted: plainPolicy(drift.wanted) }),
  }
}
