/** The kernel's features are tried without a trace. */
import { readdirSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { FAMILIES, probeFeatures } from '../../../../../agent/datapath/kernel/features.ts'
import { lackingProtocols } from '../../../../../agent/datapath/kernel/probe.ts'

t.test('it says the same of ESP and AH as the choice of the data path', async (t) => {
  const { families, extack } = probeFeatures()
  const lacking = lackingProtocols(['esp', 'ah'])
  for (const protocol of ['esp', 'ah'] as const) {
    t.equal(families.IPv4[protocol].works, !lacking.includes(protocol), protocol)
  }
  t.same(extack, { works: true })
  for (const name of FAMILIES) {
    const { esp, ah, tunnel, esn, encapsulation, socketPolicy } = families[name]
    t.same(socketPolicy, { works: true }, name)
    t.equal(tunnel !== undefined, esp.works || ah.works, 'what there is nothing to try with is not told')
    t.equal(esn !== undefined, esp.works || ah.works)
    t.equal(encapsulation !== undefined, esp.works)
  }
})

t.test('this thread stays in its network namespace, and no descriptor stays open', async (t) => {
  const own = () => readlinkSync('/proc/thread-self/ns/net')
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = [own(), descriptors()]
  probeFeatures()
  t.same([own(), descriptors()], before)
})
