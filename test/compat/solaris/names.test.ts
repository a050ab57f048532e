/** Names that mean one number on Solaris and another, or none, on the system that reads the file. */
import t from 'tap'
import type { Resolver } from '../../../agent/model/resolver.ts'
import { formatRule } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { protocolNamed, serviceNamed } from '../../../compat/solaris/names.ts'
import * as policy from './ipsecconf/support.ts'
import * as keys from './ipseckey/support.ts'

const SERVICES: Readonly<Record<string, number>> = { kdc: 750, sunrpc: 111, snmpd: 161 }
const PROTOCOLS: Readonly<Record<string, number>> = { ipip: 94, ipencap: 4, tcp: 6 }

/** As Debian's files have it. */
const resolver: Resolver = {
  ...policy.resolver,
  service: (name) => SERVICES[name],
  protocol: (name) => PROTOCOLS[name],
  serviceName: (port) => ({ 750: 'kdc', 111: 'sunrpc' })[port],
  protocolName: (number) => ({ 94: 'ipip', 4: 'ipencap', 6: 'tcp' })[number],
}

const policyOf = (text: string) => policy.parse(text, { resolver })
const keysOf = (text: string) => parseKeyFile(text, 'keys', { ...keys.options, resolver })

t.test('the number of a name', async (t) => {
  t.same(serviceNamed('kdc', resolver), { onSolaris: 88, onThisSystem: 750 })
  t.same(protocolNamed('ipip', resolver), { onSolaris: 4, onThisSystem: 94 })
  t.same(protocolNamed('ipip', { ...resolver, protocol: () => 4 }), { number: 4 }, 'where both agree')
  t.same(serviceNamed('sunrpc', resolver), { number: 111 })
  t.same(serviceNamed('snmpd', resolver), { number: 161 })
  t.equal(serviceNamed('nosuch', resolver), undefined)
  t.equal(protocolNamed('constructor', { ...resolver, protocol: () => undefined }), undefined)
  const fallbacks = { rpcbind: 111, nfsd: 2049, lockd: 4045, slp: 427, ripng: 521, ike: 500 }
  for (const [name, number] of Object.entries(fallbacks)) t.same(serviceNamed(name, resolver), { number })
})

t.test('policy: a name with two numbers is refused with both', async (t) => {
  for (const [pattern, message, expected] of [
    ['ulp ipip', 'Bad Upper Layer Protocol on line: 1', '4 or 94'],
    ['lport kdc', 'Bad Source Port on line: 1', '88 or 750'],
    ['rport kdc', 'Bad Destination Port on line: 1', '88 or 750'],
  ] as const) {
    const { rules, diagnostics } = policyOf(`{${pattern} dir both} bypass {}\n`)
    t.same(rules, [])
    t.match(diagnostics, [{ severity: 'error', message, expected, hint: /write the number/ }], pattern)
    t.equal(diagnostics.length, 1)
  }
})

t.test('policy: a name that only Solaris has', async (t) => {
  const { rules, diagnostics } = policyOf('{lport nfsd rport lockd dir both} bypass {}\n')
  t.same(diagnostics, [])
  t.match(rules, [{ selector: { localPort: 2049, remotePort: 4045 } }])
})

t.test('policy: what is listed reads back', async (t) => {
  const text =
    '{ulp 94 dir both} bypass {}\n{ulp 4 dir both} bypass {}\n{lport 750 rport 111 dir in} drop {}\n'
  const { rules } = policyOf(text)
  const listed = rules.map((rule) => formatRule(rule, { algorithms: policy.algorithms, resolver }))
  t.same(listed, [
    '{ ulp 94 dir both } pass { }',
    '{ ulp ipencap dir both } pass { }',
    '{ lport 750 rport sunrpc dir in } drop { }',
  ])
  const again = policyOf(`${listed.join('\n')}\n`)
  t.same(again.diagnostics, [])
  t.same(
    again.rules.map(({ selector }) => selector),
    rules.map(({ selector }) => selector),
  )
})

t.test('keys: a name with two numbers is refused with both', async (t) => {
  for (const [words, expected] of [
    ['proto ipip', '4 or 94'],
    ['proto tcp sport kdc', '88 or 750'],
    ['proto tcp dport kdc', '88 or 750'],
  ] as const) {
    const { commands, diagnostics } = keysOf(`${keys.ADD} ${words}`)
    t.same(commands, [])
    t.match(diagnostics, [{ severity: 'error', expected, hint: /write the number/ }], words)
  }
  const { commands, diagnostics } = keysOf(`${keys.ADD} proto tcp sport nfsd`)
  t.same(diagnostics, [])
  t.match(commands, [{ association: { sourcePort: 2049 } }])
})
