import { readdirSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { type Candidate, probeAlgorithms } from '../../../../../agent/datapath/kernel/probe.ts'
import { PROTOCOL_ESP } from '../../../../../agent/model/algorithm.ts'
import { kernelAlgorithm } from '../../../../../agent/translate/kernel-algorithms.ts'

const aes = kernelAlgorithm(PROTOCOL_ESP, 12)
if (!aes) throw new Error('AES has no kernel side')

t.test('an algorithm that no kernel has is told from one that any kernel has', async (t) => {
  const candidates: Candidate[] = [
    { algorithm: { ...aes, name: 'cbc(no-such-cipher)' }, keyBits: 128 },
    { algorithm: aes, keyBits: 128 },
  ]
  const [fantasy, real] = probeAlgorithms(candidates)
  t.match(fantasy, { available: false, lacks: 'algorithm', reason: /algorithm not found/ })
  if (!real?.available) t.match(real, { lacks: 'protocol' }, 'AES is there; ESP may not be')
})

t.test('the probe leaves this thread in its network namespace, and no descriptor open', async (t) => {
  const own = () => readlinkSync('/proc/thread-self/ns/net')
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = [own(), descriptors()]
  probeAlgorithms([{ algorithm: aes, keyBits: 128 }])
  t.same([own(), descriptors()], before)
})
