/**
 * `solipsec convert`: files in, files out, and who may read them.
 */
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../../../compat/commands/solipsec/convert.ts'
import { KEY_256 } from '../../configuration/support.ts'
import { captureIo } from '../support/capture-io.ts'
import { temporaryFolder } from '../support/temporary.ts'

const POLICY = '# secure shell\n{lport 22 dir both} bypass {}\n'
const KEYS = `add ah spi 300 src 192.0.2.1 dst db auth_alg sha256 authkey ${KEY_256}\n`
const TABLE = 'PROTO|2|AH|sync\nALG|2|200|own|CKM_OWN|128|12\n'

async function convert(argv: readonly string[], stdin = '') {
  const io = captureIo({ stdin })
  return { code: await run(argv, io), out: io.out(), err: io.err() }
}

const modeOf = (path: string): number => statSync(path).mode & 0o777

t.test('three files to a document and back', async (t) => {
  const folder = temporaryFolder(t)
  const path = (name: string): string => join(folder, name)
  for (const [name, text] of Object.entries({ p: POLICY, k: KEYS, a: TABLE })) writeFileSync(path(name), text)
  const document = path('solipsec.json')
  t.match(await convert(['-o', document, path('p'), path('k'), path('a')]), { code: 0, out: '', err: '' })
  t.equal(modeOf(document), 0o600)
  const { $schema, ...sections } = JSON.parse(readFileSync(document, 'utf8'))
  t.ok(existsSync(new URL($schema)), 'editors find the schema')
  t.same(Object.keys(sections).sort(), ['algorithms', 'associations', 'policies'])
  for (const [kind, text, mode] of [
    ['ipsecinit.conf', POLICY, 0o644],
    ['ipseckeys', KEYS.replace(' authkey', ' \\\n    authkey'), 0o600],
    ['ipsecalgs', TABLE, 0o644],
  ] as const) {
    t.match(await convert(['--to', kind, document]), { code: 0, out: text, err: '' })
    t.match(await convert(['--to', kind, '-o', path(kind), document]), { code: 0, out: '' })
    t.equal(readFileSync(path(kind), 'utf8'), text)
    t.equal(modeOf(path(kind)), mode, kind)
  }
})

t.test('standard input to standard output', async (t) => {
  const { code, out } = await convert(['--to', 'json', '-'], POLICY)
  t.equal(code, 0)
  t.match(JSON.parse(out), { policies: [{ comment: 'secure shell', localPort: 22, action: 'bypass' }] })
  t.match(await convert(['--to', 'ipsecinit.conf', '-'], out), { code: 0, out: POLICY })
})

t.test('where something is refused, nothing is written', async (t) => {
  const folder = temporaryFolder(t)
  const target = join(folder, 'out')
  const refused = await convert(['-o', target, '-'], '{lport 22} bypas {}')
  t.match(refused, { code: 1, out: '', err: /bypass.*nothing was written/s })
  t.notOk(existsSync(target))
  const document = '{"policies": [], "tunnels": []}'
  t.match(await convert(['--to', 'ipsecinit.conf', '-'], document), {
    code: 1,
    out: '',
    err: /`tunnels`.*--partial/s,
  })
  t.match(await convert(['--to', 'ipsecinit.conf', '--partial', '-'], document), { code: 0, out: '' })
  symlinkSync(join(folder, 'elsewhere'), target)
  t.match(await convert(['-o', target, '-'], KEYS), { code: 1, err: /Not a regular file/ })
})

t.test('misuse', async (t) => {
  t.match(await convert([]), { code: 1, err: /a file is missing/ })
  const [long, short] = [
    await convert(['--to', 'swanctl.conf', '-'], POLICY),
    await convert(['--to', 'swanctl', '-'], POLICY),
  ]
  t.match(long, { code: 0, out: /connections/ })
  t.same(short, long)
  t.match(await convert(['--to', 'iproute2.conf', '-']), { code: 1, err: /--to wants one of/ })
  t.match(await convert(['--to', 'xml', '-']), { code: 1, err: /--to wants one of json/ })
  t.match(await convert(['-', '--to', 'json']), { code: 1, err: /options stand before the files/ })
  t.match(await convert(['-'], '{"policies": []}'), { code: 1, err: /Say --to/ })
  t.match(await convert(['--to', 'json', '-'], '{"policies": []}'), { code: 1, err: /JSON document already/ })
  t.match(await convert(['--to', 'ipseckeys', '-'], POLICY), { code: 1, err: /only a JSON document/ })
  t.match(await convert(['--kind', 'ipsecalgs', '-', '-'], TABLE), { code: 1, err: /only one table/ })
})
