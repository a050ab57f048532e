import t from 'tap'
import { type Ask, Inquiry } from '../../../../../agent/daemon/inquiry.ts'
import { formatPrefix, parseAddress } from '../../../../../agent/model/address.ts'
import type { Resolver } from '../../../../../agent/model/resolver.ts'
import { missingNames } from '../../../../../compat/commands/solipsec/agent/part.ts'
import { readWithNames } from '../../../../../compat/commands/solipsec/agent/reading.ts'
import type { ReadFile } from '../../../../../compat/commands/solipsec/change/configuration.ts'
import { readConfiguration } from '../../../../../compat/configuration/index.ts'
import { algorithms, resolver } from '../../../solaris/ipseckey/support.ts'

const none = { problem: 'no files here' }
const files = { isExposed: false, read: () => none, credential: () => none }

/** A name server that knows some names. */
function server(known: Readonly<Record<string, string>>) {
  const asked: (readonly string[])[] = []
  const ask: Ask = (names, tell) => {
    asked.push(names)
    const ended = Promise.resolve().then(() => {
      for (const name of names) tell(name, [parseAddress(known[name] ?? '') ?? []].flat())
    })
    return { begun: ended, ended, stop: () => {} }
  }
  return { inquiry: new Inquiry(ask), asked }
}

function reader(document: object) {
  const counts = { reads: 0 }
  const read = (names: Partial<Resolver>): ReadFile => {
    counts.reads++
    const environment = { algorithms, resolver: { ...resolver, ...names }, files }
    return {
      name: 'f',
      dataPath: 'auto',
      changeable: new Set(),
      ...readConfiguration(JSON.stringify(document), 'f', environment),
    }
  }
  return { read, counts }
}

const networks = (name: string) => (name === 'net' ? parseAddress('10.0.0.0') : undefined)
const protect = { encryption: 'aes(128)', authentication: 'sha256' }
const remotes = ({ configuration }: ReadFile) =>
  configuration?.rules?.map(({ selector: { pairs } }) =>
    pairs.map(({ remote }) => remote && formatPrefix(remote)),
  )

t.test('a file without names is read once', async (t) => {
  const { inquiry, asked } = server({})
  const { read, counts } = reader({ policies: [{ remote: '192.0.2.1', protect }] })
  const found = await readWithNames(read, inquiry, networks)
  t.same(remotes(found), [['192.0.2.1/32']])
  t.same(found.protocols, ['esp'])
  t.same(asked, [])
  t.equal(counts.reads, 1)
})

t.test('all names are asked for at once', async (t) => {
  const { inquiry, asked } = server({ a: '192.0.2.1', b: '2001:db8::1' })
  const { read, counts } = reader({
    policies: [
      { remote: 'a', protect },
      { local: '2001:db8::7', remote: 'b', protect: { ah: 'sha256' } },
      { remote: 'net', action: 'bypass' },
      { remote: 'a', remotePort: 22, action: 'bypass' },
      { remote: 'gone', protect },
    ],
  })
  const found = await readWithNames(read, inquiry, networks)
  t.same(asked, [['a', 'b', 'net', 'gone']])
  t.equal(counts.reads, 2)
  t.same(missingNames(found.diagnostics), ['gone'])
  t.same(remotes(found), [['192.0.2.1/32'], ['2001:db8::1/128'], ['10.0.0.0/32'], ['192.0.2.1/32']])
})

t.test('what is to come needs a data path as well', async (t) => {
  const { inquiry } = server({})
  const { read } = reader({
    policies: [
      { remote: 'gone', protect },
      { remote: '10.0.0.1', action: 'bypass' },
    ],
  })
  const found = await readWithNames(read, inquiry, networks)
  t.same(remotes(found), [['10.0.0.1/32']])
  t.same(found.protocols, ['esp'])
})

t.test('names that only show where others have addresses', async (t) => {
  const { inquiry, asked } = server({ a: '192.0.2.1', c: '192.0.2.3' })
  const named: string[][] = []
  const read = ({ addresses }: Partial<Resolver>): ReadFile => {
    named.push([])
    for (const name of ['a', 'c']) {
      named.at(-1)?.push(name)
      if (addresses?.(name)[0]?.bytes[0] !== 192) break
    }
    return { name: 'f', dataPath: 'auto', changeable: new Set(), diagnostics: [] }
  }
  await readWithNames(read, inquiry, networks)
  t.same(asked, [['a'], ['c']])
  t.same(named, [['a'], ['a', 'c'], ['a', 'c']])
})
