/**
 * Which algorithms of the table can be had, and from whom.
 *
 * @module
 */

import type { AlgorithmFacts } from '../facts/abilities.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, type State, unknownFinding } from '../finding.ts'
import { knownValue } from '../known.ts'
import { type KernelPart, wayToPart } from './modules.ts'
import { softwareReadiness } from './questions.ts'

const finding = findingsOf('algorithms')

const PARTS: Readonly<Record<string, KernelPart>> = {
  'hmac(md5)': { module: 'md5', option: 'CRYPTO_MD5' },
  'hmac(sha1)': { module: 'sha1_generic', option: 'CRYPTO_SHA1' },
  'hmac(sha256)': { module: 'sha256_generic', option: 'CRYPTO_SHA256' },
  'hmac(sha384)': { module: 'sha512_generic', option: 'CRYPTO_SHA512' },
  'hmac(sha512)': { module: 'sha512_generic', option: 'CRYPTO_SHA512' },
  'hmac(rmd160)': { module: 'rmd160', option: 'CRYPTO_RMD160' },
  'xcbc(aes)': { module: 'xcbc', option: 'CRYPTO_XCBC' },
  'cmac(aes)': { module: 'cmac', option: 'CRYPTO_CMAC' },
  'cbc(des)': { module: 'des_generic', option: 'CRYPTO_DES' },
  'cbc(des3_ede)': { module: 'des_generic', option: 'CRYPTO_DES' },
  'cbc(cast5)': { module: 'cast5_generic', option: 'CRYPTO_CAST5' },
  'cbc(blowfish)': { module: 'blowfish_generic', option: 'CRYPTO_BLOWFISH' },
  'cbc(camellia)': { module: 'camellia_generic', option: 'CRYPTO_CAMELLIA' },
  'cbc(serpent)': { module: 'serpent_generic', option: 'CRYPTO_SERPENT' },
  'cbc(twofish)': { module: 'twofish_generic', option: 'CRYPTO_TWOFISH' },
  'ecb(cipher_null)': { module: 'crypto_null', option: 'CRYPTO_NULL' },
  'cbc(aes)': { module: 'cbc', option: 'CRYPTO_CBC' },
  'rfc3686(ctr(aes))': { module: 'ctr', option: 'CRYPTO_CTR' },
  'rfc4309(ccm(aes))': { module: 'ccm', option: 'CRYPTO_CCM' },
  'rfc4106(gcm(aes))': { module: 'gcm', option: 'CRYPTO_GCM' },
  'rfc4543(gcm(aes))': { module: 'gcm', option: 'CRYPTO_GCM' },
  'rfc7539esp(chacha20,poly1305)': { module: 'chacha20poly1305', option: 'CRYPTO_CHACHA20POLY1305' },
}

/** Each row of the table: kernel, software data path, or nowhere. */
export function checkAlgorithms(facts: Facts): Finding[] {
  return facts.abilities.algorithms.map((algorithm) => checkAlgorithm(algorithm, facts))
}

function checkAlgorithm(algorithm: AlgorithmFacts, facts: Facts): Finding {
  const { name, kind, kernelName, kernel, inSoftware } = algorithm
  const subject = kernelName === undefined ? name : `${name} (${kernelName})`
  const check = `${kind}-algorithm`
  const readiness = inSoftware ? softwareReadiness(facts) : 'not ready'
  const say = (state: State, meaning: string, ...way: string[]) =>
    finding(check, subject, state, meaning, ...way)
  if (kernel.outcome === 'works') return say('ok', 'The kernel has it.')
  if (kernel.outcome === 'untried') return unknownFinding('algorithms', check, subject, kernel.why)
  if (!hasProtocol(facts, kind)) {
    if (readiness === 'ready')
      return say('ok', 'The software data path has it; the kernel has nothing to use it with.')
    const meaning = inSoftware
      ? 'Only the software data path has it, and that is not known to be ready (see there).'
      : 'Neither the kernel nor the software data path has it: rules and keys that name it are refused.'
    return say('warning', meaning)
  }
  const part = kernelName === undefined ? undefined : PARTS[kernelName]
  const way = part ? wayToPart(part, facts.kernel) : []
  const why = knownValue(facts.speed.isFips)
    ? 'The kernel refuses it, maybe for FIPS mode'
    : 'The kernel lacks it'
  if (readiness === 'ready') {
    const other = 'or, for all SAs and rules: --datapath software'
    return say('note', `${why}, the software data path has it.`, ...way, other)
  }
  const rest = inSoftware
    ? 'the software data path has it, but is not known to be ready (see there)'
    : 'the software data path lacks it, too'
  return say('warning', `${why}, ${rest}: rules and keys that name it are refused.`, ...way)
}

/** Whether the kernel has a protocol that such an algorithm is used with. */
function hasProtocol({ abilities }: Facts, kind: AlgorithmFacts['kind']): boolean {
  const families = Object.values(abilities.features?.families ?? {})
  return families.some(({ esp, ah }) => esp.works || (kind === 'authentication' && ah.works))
}
