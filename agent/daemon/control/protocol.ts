/**
 * What goes over the control socket: JSON-RPC 2.0, one message a line, UTF-8.
 *
 * @module
 */

export interface Request {
  /** Absent: nobody waits for an answer. */
  readonly id?: string | number | null
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Codes of JSON-RPC 2.0 section 5.1, and of ours behind them. */
export const code = {
  PARSE_ERROR: -32700,
  INVALID_REQUEST: -32600,
  METHOD_NOT_FOUND: -32601,
  INVALID_PARAMS: -32602,
  INTERNAL_ERROR: -32603,
  /** Only root may. */
  NOT_ALLOWED: -32001,
  /** What was asked for could not be done; the message says why. */
  FAILED: -32002,
} as const

/** An answer that says no. */
export class ControlError extends Error {
  readonly code: number

  constructor(number: number, message: string) {
    super(message)
    this.name = 'ControlError'
    this.code = number
  }
}

/**
 * Reads one line.
 *
 * @throws ControlError where it is no request
 */
export function parseRequest(line: string): Request {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ControlError(code.PARSE_ERROR, 'this is not JSON')
  }
  if (!isObject(value))
    throw new ControlError(code.INVALID_REQUEST, 'a request is an object; batches are not taken')
  const { jsonrpc, id, method, params = {} } = value
  const isRequest = jsonrpc === '2.0' && typeof method === 'string' && (id === undefined || isId(id))
  if (!isRequest)
    throw new ControlError(code.INVALID_REQUEST, 'a request has jsonrpc "2.0", a method and an id')
  if (!isObject(params)) throw new ControlError(code.INVALID_PARAMS, 'params is an object')
  return { method, params, ...(id !== undefined && { id }) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is string | number | null {
  return value === null || typeof value === 'string' || typeof value === 'number'
}

export function formatResult(id: string | number | null, result: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null })}\n`
}

export function formatError(id: string | number | null, { code: number, message }: ControlError): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, error: { code: number, message } })}\n`
}

/** What nobody has asked for at this moment: an event. */
export function formatNotification(method: string, params: object): string {
  return `${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`
}
