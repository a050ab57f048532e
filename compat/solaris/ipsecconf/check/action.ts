/**
 * Actions with their properties: what protection `ipsec {…}` asks for.
 *
 * @module
 */
import { FLAG_COMBINED } from '../../../../agent/model/algorithm.ts'
import { ALGORITHM_NULL } from '../../../../agent/model/default-algorithms.ts'
import type {
  Action,
  AlgorithmRequirement,
  Protection,
  TunnelReference,
} from '../../../../agent/model/policy.ts'
import { type AlgorithmField, UNLIMITED_BITS } from '../vocabulary.ts'
import { checkAlgorithm } from './algorithms.ts'
import type { CollectedAction, PropertyFields } from './collect.ts'
import type { Context } from './context.ts'

const ALGORITHM_FIELDS: readonly AlgorithmField[] = ['authAlgorithm', 'encrAlgorithm', 'encrAuthAlgorithm']

/** What `encr_auth_algs` alone encrypts with. */
const NULL_ENCRYPTION: AlgorithmRequirement = {
  algorithm: ALGORITHM_NULL,
  minBits: 0,
  maxBits: UNLIMITED_BITS,
}

const BYPASS: Action = { kind: 'bypass' }
const DROP: Action = { kind: 'drop' }

/**
 * The meaning of one action with its properties.
 *
 * @param tunnel the rule's tunnel, which restricts `sa`
 * @param whole nothing of the rule was lost to a syntax error, so that what is missing really is
 * @returns `undefined` after an error
 */
export function checkAction(
  action: CollectedAction,
  tunnel: TunnelReference | undefined,
  whole: boolean,
  context: Context,
): Action | undefined {
  const { fields, meaning } = action
  if (meaning.kind === 'protect') return checkProtection(action, tunnel, whole, context)
  for (const field of ALGORITHM_FIELDS) {
    const setting = fields[field]
    if (!setting || !checkAlgorithm(setting, context)) continue
    context.report.error(setting.keyword, 'Algorithms found for bypass policy', {
      expected: `no algorithms in \`${action.word.text} {}\``,
    })
  }
  if (isUnique(fields, context)) {
    context.report.fault(fields.sa?.value ?? action.word, 'Bad', 'sa', {
      expected: `no SAs for \`${action.word.text}\``,
    })
  }
  return meaning.kind === 'bypass' ? BYPASS : DROP
}

function checkProtection(
  action: CollectedAction,
  tunnel: TunnelReference | undefined,
  whole: boolean,
  context: Context,
): Action | undefined {
  const { report } = context
  const errors = report.errors
  const { authAlgorithm, encrAlgorithm, encrAuthAlgorithm } = action.fields
  const ah = authAlgorithm && checkAlgorithm(authAlgorithm, context)
  const encryption = encrAlgorithm && checkAlgorithm(encrAlgorithm, context)
  const authentication = encrAuthAlgorithm && checkAlgorithm(encrAuthAlgorithm, context)
  const unique = checkUnique(action, tunnel, context)
  if (report.errors !== errors) return undefined
  if (!ah && !encryption && !authentication) {
    if (whole) {
      report.error(action.word, 'No IPsec algorithms given', {
        expected: `auth_algs, encr_algs or encr_auth_algs in \`${action.word.text} {…}\``,
      })
    }
    return undefined
  }
  if (encryption && !checkEncryption(action, encryption, authentication ?? ah, context)) return undefined
  const protection: { -readonly [K in keyof Protection]: Protection[K] } = { unique }
  if (ah) protection.ah = ah
  if (encryption) protection.esp = authentication ? { encryption, authentication } : { encryption }
  else if (authentication) protection.esp = { encryption: NULL_ENCRYPTION, authentication }
  return { kind: 'protect', protection }
}

/** Combined modes authenticate by themselves; every other cipher needs an authentication algorithm. */
function checkEncryption(
  action: CollectedAction,
  encryption: AlgorithmRequirement,
  authentication: AlgorithmRequirement | undefined,
  context: Context,
): boolean {
  const { encrAlgorithm, encrAuthAlgorithm } = action.fields
  const at = encrAlgorithm?.value ?? action.word
  const flags = context.esp.byNumber.get(encryption.algorithm)?.flags ?? 0
  if ((flags & FLAG_COMBINED) !== 0) {
    if (!encrAuthAlgorithm || encrAuthAlgorithm.value.text.toLowerCase() === 'none') return true
    const { line } = encrAuthAlgorithm.keyword
    context.report.error(
      encrAuthAlgorithm.keyword,
      `ERROR: Rule on line ${line}: Combined mode and esp authentication not supported together.`,
      { hint: `${at.text} authenticates by itself: leave \`encr_auth_algs\` out.` },
    )
    return false
  }
  if (!authentication) {
    context.report.warning(at, `DANGER:  Rule on line ${at.line} has encryption with no authentication.`, {
      hint: 'Add `encr_auth_algs`, or use a combined mode such as aes-gcm.',
    })
  }
  return true
}

function checkUnique(
  action: CollectedAction,
  tunnel: TunnelReference | undefined,
  context: Context,
): boolean {
  const unique = isUnique(action.fields, context)
  if (tunnel?.mode === 'transport') return true
  if (unique && tunnel) {
    context.report.fault(action.fields.sa?.value ?? action.word, 'Bad', 'sa', {
      expected: '`shared`, as `negotiate tunnel` has no SAs of a flow',
    })
  }
  return unique
}

function isUnique({ sa }: PropertyFields, context: Context): boolean {
  if (!sa) return false
  const { text } = sa.value
  if (text !== 'shared' && text !== 'unique') context.report.fault(sa.value, 'Bad', 'sa')
  return text === 'unique'
}
