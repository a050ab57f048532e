/**
 * Changes to an algorithm file: pure functions from a file to a changed one, or to the diagnostic with which
 * the Solaris library refuses.
 *
 * @module
 */
import type { Algorithm, AlgorithmProtocol, ExecutionMode } from '../../../agent/model/algorithm.ts'
import type { AlgorithmFile, Line } from './file.ts'
import { algorithmLine, protocolLine, sameAlgorithm } from './file.ts'

/** Diagnostics of the library behind ipsecalgs(8) that an edit can give; its numbers, our words. */
export const EDIT_ERRORS = {
  'algorithm-exists': { code: -1, text: 'The algorithm already exists.' },
  'protocol-exists': { code: -2, text: 'The protocol already exists.' },
  'unknown-protocol': { code: -3, text: 'Unknown protocol.' },
  'unknown-algorithm': { code: -4, text: 'Unknown algorithm.' },
} as const

export type EditError = keyof typeof EDIT_ERRORS

export type EditResult = { readonly file: AlgorithmFile } | { readonly error: EditError }

/**
 * Adds an algorithm, as the last line of the file: never inside of what a package delivered.
 *
 * @param replace takes the place of the algorithm with this number; a name that another number has is refused
 *   all the same
 */
export function addAlgorithm(file: AlgorithmFile, algorithm: Algorithm, replace = false): EditResult {
  if (!hasProtocol(file, algorithm.protocol)) return { error: 'unknown-protocol' }
  const old = file.lines.findIndex((line) => isNumber(line, algorithm.protocol, algorithm.number))
  if (old >= 0 && !replace) return { error: 'algorithm-exists' }
  const others = file.lines.filter((_, index) => index !== old)
  if (others.some((line) => line.kind === 'algorithm' && sameAlgorithm(line.algorithm, algorithm))) {
    return { error: 'algorithm-exists' }
  }
  const added = algorithmLine(algorithm)
  return { file: { lines: old < 0 ? [...file.lines, added] : file.lines.with(old, added) } }
}

/** Removes an algorithm, named by its number or by any of its names. */
export function removeAlgorithm(file: AlgorithmFile, protocol: number, which: number | string): EditResult {
  if (!hasProtocol(file, protocol)) return { error: 'unknown-protocol' }
  const isIt = (line: Line): boolean =>
    typeof which === 'number' ? isNumber(line, protocol, which) : isNamed(line, protocol, which)
  if (!file.lines.some(isIt)) return { error: 'unknown-algorithm' }
  return { file: { lines: file.lines.filter((line) => !isIt(line)) } }
}

export function addProtocol(file: AlgorithmFile, protocol: AlgorithmProtocol): EditResult {
  const clash = file.lines.some(
    (line) =>
      line.kind === 'protocol' &&
      (line.protocol.number === protocol.number || line.protocol.name === protocol.name),
  )
  if (clash) return { error: 'protocol-exists' }
  return { file: { lines: [...file.lines, protocolLine(protocol)] } }
}

/** Removes a protocol and all of its algorithms. */
export function removeProtocol(file: AlgorithmFile, protocol: number): EditResult {
  if (!hasProtocol(file, protocol)) return { error: 'unknown-protocol' }
  const goes = (line: Line): boolean =>
    (line.kind === 'protocol' && line.protocol.number === protocol) ||
    (line.kind === 'algorithm' && line.algorithm.protocol === protocol)
  return { file: { lines: file.lines.filter((line) => !goes(line)) } }
}

/** Sets how a protocol's algorithms are executed. Linux decides that by itself: the mode is only kept. */
export function setMode(file: AlgorithmFile, protocol: number, mode: ExecutionMode): EditResult {
  if (!hasProtocol(file, protocol)) return { error: 'unknown-protocol' }
  const lines = file.lines.map((line) =>
    line.kind === 'protocol' && line.protocol.number === protocol
      ? protocolLine({ ...line.protocol, mode })
      : line,
  )
  return { file: { lines } }
}

function hasProtocol(file: AlgorithmFile, protocol: number): boolean {
  return file.lines.some((line) => line.kind === 'protocol' && line.protocol.number === protocol)
}

function isNumber(line: Line, protocol: number, number: number): boolean {
  return line.kind === 'algorithm' && line.algorithm.protocol === protocol && line.algorithm.number === number
}

function isNamed(line: Line, protocol: number, name: string): boolean {
  return (
    line.kind === 'algorithm' &&
    line.algorithm.protocol === protocol &&
    line.algorithm.names.some((known) => known.toLowerCase() === name.toLowerCase())
  )
}
