/**
 * What was tried out: the kernel's protocols and algorithms, and what the software data path has of them.
 *
 * @module
 */
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { type KernelFeatures, probeFeatures } from '../../datapath/kernel/features.ts'
import { type ProbeResult, probeAlgorithms } from '../../datapath/kernel/probe.ts'
import type { Backend } from '../../datapath/software/crypto/backend.ts'
import { espTransform, keyMac, UnsupportedAlgorithmError } from '../../datapath/software/crypto/keying.ts'
import { cryptoBackend } from '../../datapath/software/crypto/select.ts'
import { type Algorithm, type AlgorithmTable, PROTOCOL_AH } from '../../model/algorithm.ts'
import { defaultKeyBits } from '../../model/key-sizes.ts'
import {
  algorithmAttribute,
  type KernelAlgorithm,
  kernelAlgorithmOf,
} from '../../translate/kernel-algorithms.ts'
import { fails, isDenied, reasonOf, type Trial, untried, WORKS } from '../known.ts'

export interface AlgorithmFacts {
  /** As the table calls it first. */
  readonly name: string
  readonly kind: 'authentication' | 'encryption'
  /** Absent where XFRM has no algorithm for the row. */
  readonly kernelName?: string
  readonly kernel: Trial
  readonly inSoftware: boolean
}

export interface AbilityFacts {
  readonly xfrm: Trial
  /** Only where XFRM works. */
  readonly features?: KernelFeatures
  readonly algorithms: readonly AlgorithmFacts[]
  /** What the software data path takes its cryptography from. */
  readonly library: Backend['name']
}

/** Tries all of it; modules that are needed get loaded. */
export function tryAbilities(table: AlgorithmTable): AbilityFacts {
  const rows = table.algorithms.map((entry) => ({ entry, kernel: kernelAlgorithmOf(entry) }))
  const kernel = tryKernel(rows.flatMap(({ entry, kernel }) => (kernel ? [candidate(entry, kernel)] : [])))
  const answers = kernel.answers[Symbol.iterator]()
  const backend = cryptoBackend()
  return {
    xfrm: kernel.xfrm,
    ...(kernel.features && { features: kernel.features }),
    algorithms: rows.map(({ entry, kernel: algorithm }) => ({
      name: entry.names[0] ?? `${entry.protocol}/${entry.number}`,
      kind: entry.protocol === PROTOCOL_AH ? 'authentication' : 'encryption',
      ...(algorithm && { kernelName: algorithm.name }),
      kernel: algorithm ? (answers.next().value ?? NOTHING) : NOTHING,
      inSoftware: algorithm !== undefined && hasSoftware(candidate(entry, algorithm), backend),
    })),
    library: backend.name,
  }
}

const NOTHING = fails('XFRM has no such algorithm')

interface KernelAnswers {
  readonly xfrm: Trial
  readonly features?: KernelFeatures
  readonly answers: readonly Trial[]
}

type Candidates = ReturnType<typeof candidate>[]

function tryKernel(candidates: Candidates): KernelAnswers {
  const all = (trial: Trial) => candidates.map(() => trial)
  try {
    const features = probeFeatures()
    return { xfrm: WORKS, features, answers: probeAlgorithms(candidates).map(trialOf) }
  } catch (error) {
    const why = reasonOf(error)
    if (isDenied(error)) return { xfrm: untried(why), answers: all(untried(why)) }
    // Other refusals (a sandbox, a limit of namespaces) say nothing of the kernel.
    const isAbsent = error instanceof NetlinkError && error.errnoName === 'EPROTONOSUPPORT'
    const trial = isAbsent ? fails('the kernel has no XFRM') : untried(why)
    return { xfrm: trial, answers: all(trial) }
  }
}

function trialOf(result: ProbeResult): Trial {
  return result.available ? WORKS : fails(result.reason)
}

function candidate(entry: Algorithm, algorithm: KernelAlgorithm) {
  return { algorithm, keyBits: defaultKeyBits(entry.keySizes) }
}

/** Keys an SA with it, as the data path would. */
function hasSoftware({ algorithm, keyBits }: Candidates[number], backend: Backend): boolean {
  // Not all the same: as one key three times, it would be no triple DES.
  const key = Uint8Array.from({ length: (keyBits + algorithm.saltBits) / 8 }, (_, i) => (37 * i + 17) & 0xff)
  const attributes = algorithmAttribute(algorithm, key)
  try {
    if (algorithm.kind === 'auth') keyMac(attributes, backend)?.mac.destroy()
    else espTransform(attributes, 'encrypt', backend).destroy()
    return true
  } catch (error) {
    if (error instanceof UnsupportedAlgorithmError) return false
    throw error
  }
}
