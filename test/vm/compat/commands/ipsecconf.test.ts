/** What ipsecconf does with tunnels, which need a kernel that has them. */
import t from 'tap'
import { indices, makePlace } from '../../../support/ipsecconf-place.ts'

t.test('tunnels: -i, TUNNEL,INDEX, -L', async (t) => {
  const place = makePlace(t)
  const policy = place.file(
    'policy',
    '{tunnel tun0 negotiate tunnel raddr 10.0.0.0/8} ipsec {encr_algs aes encr_auth_algs sha256}\n' +
      '{lport 22 dir both} pass {}\n',
  )
  place.ip('link add tun0 type ipip local 192.0.2.1 remote 198.51.100.1')
  await place.ok(`-qa ${policy}`)
  t.match(await place.ok('-Ln'), /^#INDEX tun0,1$/m)
  t.notMatch(await place.ok('-l'), 'tunnel')
  t.match(await place.ok('-l -i tun0 -n'), /\{ tunnel tun0 negotiate tunnel raddr 10\.0\.0\.0\/8 dir out \}/)
  await place.ok('-q -f')
  t.match(indices(await place.ok('-L')), ['tun0,1', 'tun0,2'], 'the host alone')
  await place.ok(`-q -f -a ${place.file('host', '{lport 22 dir both} pass {}\n')}`)
  t.ok(indices(await place.ok('-L')).includes('tun0,2'), '-fa is about the host alone, too')
  await place.ok('-q -d 2 -i tun0')
  t.equal(await place.ok('-l -i tun0'), '')
  await place.ok(`-q -Fa ${policy}`)
  await place.ok('-q -f -i tun0')
  t.ok(indices(await place.ok('-L')).length > 0, 'the rules of the host stay')
  const optional = '{tunnel tun0 negotiate tunnel} ipsec {encr_algs aes encr_auth_algs sha256} or pass {}\n'
  t.match(await place.command(`-Fa ${place.file('optional', optional)}`), {
    code: 1,
    err: /optional:1: Linux cannot let part of a tunnel's traffic pass in clear/,
  })
  await place.ok('-qF')
  t.same(place.policies().ours, [])
})
