/**
 * SAs as plain data for `--json`. Keys are never part of it.
 *
 * @module
 */
import { type Address, formatAddress, formatPrefix } from '../../../../agent/model/address.ts'
import {
  type AlgorithmTable,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../../agent/model/algorithm.ts'
import type {
  Acquire,
  AssociationStatus,
  Identity,
  IdleLifetime,
  InnerSelector,
  Lifetime,
  UdpEncapsulation,
} from '../../../../agent/model/association.ts'
import type { Secret } from '../../../../agent/model/secret.ts'
import { identityTypeWord } from '../words.ts'
import { hasLimit } from './message-length.ts'

type Json = Readonly<Record<string, unknown>>

/** An SA. What it has not is absent; counts are numbers, so exact up to 2^53. */
export function associationJson(status: AssociationStatus, algorithms: AlgorithmTable): Json {
  const { authAlgorithm, authKey, encrAlgorithm, encrKey, saltBits } = status
  return {
    protocol: status.protocol,
    spi: status.spi,
    source: formatAddress(status.source),
    destination: formatAddress(status.destination),
    state: status.state,
    ...(status.direction && { direction: status.direction }),
    mode: status.inner ? 'tunnel' : 'transport',
    ...flowJson(status),
    ...(status.inner && { inner: innerJson(status.inner) }),
    ...(authAlgorithm && {
      authentication: algorithmJson(algorithms, PROTOCOL_AH, authAlgorithm, authKey, 0),
    }),
    ...(encrAlgorithm && {
      encryption: algorithmJson(algorithms, PROTOCOL_ESP, encrAlgorithm, encrKey, saltBits),
    }),
    replayWindow: status.replayWindow,
    replayValue: Number(status.replayValue),
    current: limitsJson(status.current),
    ...(hasLimit(status.soft) && { soft: limitsJson(status.soft) }),
    ...(hasLimit(status.hard) && { hard: limitsJson(status.hard) }),
    ...(hasLimit(status.idle) && { idle: limitsJson(status.idle) }),
    ...(status.pairSpi !== undefined && { pairSpi: status.pairSpi }),
    ...(status.encapsulation && { encapsulation: encapsulationJson(status.encapsulation) }),
    ...(status.sourceIdentity && { sourceIdentity: identityJson(status.sourceIdentity) }),
    ...(status.destinationIdentity && { destinationIdentity: identityJson(status.destinationIdentity) }),
  }
}

/** A request of the kernel for an SA. */
export function acquireJson(acquire: Acquire): Json {
  return {
    protocol: acquire.protocol,
    source: formatAddress(acquire.source),
    destination: formatAddress(acquire.destination),
    mode: acquire.inner ? 'tunnel' : 'transport',
    ...flowJson(acquire),
    ...(acquire.inner && { inner: innerJson(acquire.inner) }),
  }
}

function flowJson({
  upperProtocol,
  sourcePort,
  destinationPort,
}: Pick<Acquire, 'upperProtocol' | 'sourcePort' | 'destinationPort'>): Json {
  return {
    ...(upperProtocol && { upperProtocol }),
    ...(sourcePort && { sourcePort }),
    ...(destinationPort && { destinationPort }),
  }
}

function innerJson(inner: InnerSelector): Json {
  return {
    source: formatPrefix(inner.source),
    destination: formatPrefix(inner.destination),
    ...flowJson({ ...inner, upperProtocol: inner.protocol }),
  }
}

function algorithmJson(
  table: AlgorithmTable,
  protocol: number,
  number: number,
  key: Secret | undefined,
  saltBits: number,
): Json {
  const name = algorithmByNumber(table, protocol, number)?.names[0]
  return { number, ...(name && { name }), ...(key && { keyBits: key.bits - saltBits }) }
}

function limitsJson(limits: Lifetime | IdleLifetime): Json {
  return Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, Number(value)]))
}

function encapsulationJson({ local, remote, localPort, remotePort }: UdpEncapsulation): Json {
  const optional = (name: string, address: Address | undefined) =>
    address && { [name]: formatAddress(address) }
  return { ...optional('local', local), localPort, ...optional('remote', remote), remotePort }
}

function identityJson({ type, value }: Identity): Json {
  return { type: identityTypeWord(type), value }
}
