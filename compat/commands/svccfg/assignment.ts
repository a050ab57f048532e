/**
 * What `setprop` and its like say: `pg/prop = [TYPE:] VALUE`, `pg/prop = [TYPE:] (VALUE…)`. Pure.
 *
 * @module
 */
import { isPropertyType, type PropertyType, splitPath } from '../services/property.ts'
import type { Token } from './words.ts'

export interface Assignment {
  readonly path: string
  readonly type?: PropertyType
  readonly values: readonly string[]
}

type Reading = Assignment | { readonly error: string }

const SYNTAX = 'Syntax error: expected GROUP/PROPERTY = [TYPE:] VALUE, or several VALUEs in ( ).'

/** Reads `setprop`'s operands. */
export function readAssignment(tokens: readonly Token[]): Reading {
  const [path, equals, ...rest] = tokens
  if (path?.kind !== 'word' || !isSign(equals, '=')) return { error: SYNTAX }
  return withValues(path.text, rest)
}

/** Reads `addpropvalue`'s operands: `pg/prop [TYPE:] VALUE`. */
export function readAddition(tokens: readonly Token[]): Reading {
  const [path, ...rest] = tokens
  if (path?.kind !== 'word') return { error: 'Syntax error: expected GROUP/PROPERTY [TYPE:] VALUE.' }
  const assignment = withValues(path.text, rest)
  if ('values' in assignment && assignment.values.length !== 1) return { error: 'expected one value' }
  return assignment
}

function withValues(path: string, tokens: readonly Token[]): Reading {
  if (!splitPath(path)) return { error: `'${path}' is not the name of a property; expected GROUP/PROPERTY.` }
  const typed = typeOf(tokens)
  if ('error' in typed) return typed
  const values = valuesOf(typed.rest)
  if (!values) return { error: SYNTAX }
  return { path, ...(typed.type && { type: typed.type }), values }
}

/** `astring: x`, `astring:x`, and no type at all. A path such as `svc:/x` has a colon, too, but no type before it. */
function typeOf(
  tokens: readonly Token[],
): { readonly type?: PropertyType; readonly rest: readonly Token[] } | { readonly error: string } {
  const [first, ...rest] = tokens
  const colon = first?.kind === 'word' && !first.isQuoted ? first.text.indexOf(':') : -1
  if (!first || colon < 0) return { rest: tokens }
  const [word, value] = [first.text.slice(0, colon), first.text.slice(colon + 1)]
  if (isPropertyType(word))
    return { type: word, rest: value === '' ? rest : [{ ...first, text: value }, ...rest] }
  if (value === '' && rest.length > 0) return { error: `Unknown property type '${word}'.` }
  return { rest: tokens }
}

function valuesOf(tokens: readonly Token[]): string[] | undefined {
  const isList = isSign(tokens[0], '(')
  const inner = isList ? tokens.slice(1, -1) : tokens
  if (isList && !isSign(tokens.at(-1), ')')) return undefined
  // A value without quotes may hold `=` and brackets: /etc/a=b is one word.
  if (!isList) {
    if (inner.length === 0 || inner.slice(1).some(({ isAttached }) => !isAttached)) return undefined
    return [inner.map(({ text }) => text).join('')]
  }
  return inner.some(({ kind }) => kind === 'sign') ? undefined : inner.map(({ text }) => text)
}

function isSign(token: Token | undefined, text: string): boolean {
  return token?.kind === 'sign' && token.text === text
}
