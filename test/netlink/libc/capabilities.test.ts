import t from 'tap'
import { capabilityNames, parseCapabilities } from '../../../netlink/libc/capabilities.ts'

t.test('the effective ones of a process', async (t) => {
  t.same([...parseCapabilities('Name:\tnode\nCapEff:\t0000000000001000\n')], ['CAP_NET_ADMIN'])
  t.same([...parseCapabilities('CapPrm:\t0000000000001000\nCapEff:\t0000000000080000\n')], ['CAP_SYS_PTRACE'])
  t.same([...parseCapabilities('CapEff:\t000001ffffffffff\n')], capabilityNames)
  t.equal(parseCapabilities('').size, 0)
})
