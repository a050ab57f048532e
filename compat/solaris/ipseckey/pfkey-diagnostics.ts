/**
 * What the Solaris kernel says when it refuses an SA. The checks that it would make are made here, before anything
 * is sent, and are reported under the same numbers (`x-sadb` diagnostics of `pf_key(4P)`).
 *
 * @module
 */
const TEXTS = {
  12: 'bad source address',
  13: 'bad destination address',
  14: 'soft allocations limit above the hard one',
  15: 'soft bytes limit above the hard one',
  16: 'soft add time above the hard one',
  17: 'soft use time above the hard one',
  21: 'encryption key missing',
  22: 'authentication key missing',
  36: 'authentication key present',
  37: 'encryption key present',
  40: 'unsupported authentication algorithm',
  41: 'unsupported encryption algorithm',
  43: 'bad SA state',
  44: 'authentication key has a wrong number of bits',
  45: 'encryption key has a wrong number of bits',
  47: 'weak encryption key',
  58: 'inner source address missing',
  67: 'inner source and destination of different address families',
  68: 'bad NAT-T address family',
  70: 'protocol mismatch',
  72: 'both outer and inner ports given',
  74: 'addresses do not allow a pair',
  77: 'both inbound and outbound given',
} as const

export type PfkeyDiagnostic = keyof typeof TEXTS

/** `One of the entered values is incorrect: Diagnostic code NN: …`. */
export function pfkeyDiagnostic(code: PfkeyDiagnostic): string {
  return `One of the entered values is incorrect: Diagnostic code ${code}: ${TEXTS[code]}.`
}
