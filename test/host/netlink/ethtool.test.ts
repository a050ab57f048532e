/** Features of devices, and the clock, as the kernel tells them. */
import t from 'tap'
import { isClockSynchronised } from '../../../netlink/libc/clock.ts'
import { deviceFeatures } from '../../../netlink/libc/ethtool.ts'

t.test('features of loopback', async (t) => {
  const features = deviceFeatures('lo')
  t.ok(features.length > 30)
  const of = (wanted: string) => features.find(({ name }) => name === wanted)
  t.match(of('loopback'), { isAvailable: true, isActive: true })
  t.match(of('esp-hw-offload'), { isAvailable: false, isActive: false })
  t.equal(new Set(features.map(({ name }) => name)).size, features.length, 'no two have one name')
  t.throws(() => deviceFeatures('no-such-device'), { code: 'ENODEV' })
})

t.test('the clock is kept, or is not', async (t) => {
  t.type(isClockSynchronised(), 'boolean')
})
