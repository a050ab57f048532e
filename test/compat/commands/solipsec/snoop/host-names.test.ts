/** Names in listings. */
import t from 'tap'
import type { Address } from '../../../../../agent/model/address.ts'
import { rememberedNames } from '../../../../../compat/commands/solipsec/snoop/host-names.ts'

const address = (n: number): Address => ({ family: 'inet', bytes: Uint8Array.of(10, 0, n >> 8, n & 255) })

t.test('each is looked up once, also those that there are not', async (t) => {
  const asked: string[] = []
  const resolver = {
    hostName: ({ bytes }: Address) => {
      asked.push(bytes.join('.'))
      return bytes[3] === 1 ? 'host' : undefined
    },
    serviceName: (port: number, protocol?: number) => {
      asked.push(`${port} ${protocol}`)
      return 'service'
    },
  }
  const names = rememberedNames(resolver, () => t.fail('nothing was slow'))
  for (let i = 0; i < 3; i++) {
    t.equal(names.hostName(address(1)), 'host')
    t.equal(names.hostName(address(2)), undefined)
    t.equal(names.serviceName(53, 'udp'), 'service')
    t.equal(names.serviceName(53, 'tcp'), 'service')
  }
  t.same(asked, ['10.0.0.1', '10.0.0.2', '53 17', '53 6'])
  for (let n = 0; n < 5000; n++) names.hostName(address(n))
  names.hostName(address(3))
  t.ok(asked.length > 5000, 'not all are kept for ever')
})

t.test('a slow name service is asked no more', async (t) => {
  let now = 0
  let complaints = 0
  const resolver = {
    hostName: () => {
      now += 1500
      return 'late'
    },
    serviceName: () => undefined,
  }
  const names = rememberedNames(
    resolver,
    () => complaints++,
    () => now,
  )
  t.equal(names.hostName(address(1)), 'late')
  t.equal(names.hostName(address(2)), undefined)
  t.equal(names.hostName(address(1)), 'late')
  t.equal(complaints, 1)
})
