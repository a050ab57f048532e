/**
 * `solipsec check` on files of every kind.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../../../compat/commands/solipsec/check.ts'
import { violations } from '../../../schemas/support.ts'
import { ownState } from '../../../support/own-state.ts'
import { KEY_128, KEY_256 } from '../../configuration/support.ts'
import { captureIo } from '../support/capture-io.ts'
import { temporaryFolder } from '../support/temporary.ts'

// What other programs of this machine have found out about its kernel is none of these tests' business.
ownState(t)

const POLICY = '{lport 22 dir both} bypass {}\n'
const KEYS = `add ah spi 300 src 192.0.2.1 dst 192.0.2.2 auth_alg sha256 authkey ${KEY_256}\n`
const TABLE = 'PROTO|2|AH|sync\nALG|2|200|own|CKM_OWN|128|12\n'

async function check(argv: readonly string[], stdin = '', env: Record<string, string> = {}) {
  const io = captureIo({ stdin, env })
  return { code: await run(argv, io), out: io.out(), err: io.err() }
}

function folderWith(t: Parameters<typeof temporaryFolder>[0], files: Readonly<Record<string, string>>) {
  const folder = temporaryFolder(t)
  const write = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { path: (name: string) => join(folder, name), write }
}

t.test('files of every kind', async (t) => {
  const { path } = folderWith(t, {
    a: POLICY,
    b: KEYS,
    c: TABLE,
    'd.json': JSON.stringify({
      algorithms: { file: 'c' },
      policies: { file: 'a' },
      associations: [],
      tunnels: [],
      sockets: [],
    }),
  })
  const isRoot = process.getuid?.() === 0
  const { code, out, err } = await check(['a', 'b', 'c', 'd.json'].map(path))
  t.equal(code, 0)
  if (isRoot) t.equal(err, '')
  t.equal(
    out,
    [
      `${path('a')}: 1 rule, no errors`,
      `${path('b')}: 1 SA, no errors`,
      `${path('c')}: 1 algorithm, no errors`,
      `${path('d.json')}: 1 rule, 0 SAs, 1 algorithm, 0 tunnels, 0 socket policies, no errors`,
      '',
    ].join('\n'),
  )
  t.equal((await check(['-q', path('a')])).out, '')
})

t.test('errors of all files, each in its language', async (t) => {
  const { path } = folderWith(t, {
    a: '{lport 22} bypas {}\n',
    b: KEYS + KEYS,
    'c.json': '{"policies": [{"loca": 1}]}',
    d: TABLE + TABLE,
  })
  const { code, err, out } = await check(['a', 'b', 'c.json', 'd'].map(path))
  t.equal(code, 1)
  t.equal(out, '')
  for (const part of [
    'Did you mean `bypass`?',
    `${path('b')}:2:1: error: Duplicate SA`,
    '/policies/0/loca',
    'exists already',
  ]) {
    t.ok(err.includes(part), part)
  }
  t.match(err, /solipsec check: \d+ errors\n$/)
})

t.test('for programs', async (t) => {
  const { path } = folderWith(t, { 'a.json': '{"policies": [{"local": 1, "action": "drop"}]}', b: POLICY })
  const { code, out } = await check(['--json', path('a.json'), path('b')])
  t.equal(code, 1)
  t.same(violations('solipsec-check.schema.json', out), [])
  t.match(JSON.parse(out), [
    { kind: 'json', errors: 1, diagnostics: [{ pointer: '/policies/0/local', span: { line: 1 } }] },
    { kind: 'ipsecinit.conf', errors: 0, rules: 1, diagnostics: [] },
  ])
})

t.test('standard input, and a kind that is said', async (t) => {
  t.match(await check(['-'], POLICY), { code: 0, out: '<standard input>: 1 rule, no errors\n' })
  t.match(await check(['--kind', 'ipseckeys', '-'], '# nothing\n'), { code: 0, out: /0 SAs/ })
  t.match(await check(['-'], '# nothing\n'), { code: 1, err: /cannot tell what kind.*--kind/ })
})

t.test('files that others can read, or that are not there', async (t) => {
  const { path, write } = folderWith(t, {})
  const associations = [
    {
      protocol: 'esp',
      spi: 300,
      source: '192.0.2.1',
      destination: '192.0.2.2',
      encryption: { algorithm: 'aes', key: { file: 'one.key' } },
      authentication: { algorithm: 'sha256', key: { credential: 'two' } },
    },
  ]
  write('a.json', JSON.stringify({ associations }))
  write('one.key', KEY_128, 0o644)
  write('two', KEY_256)
  write('keys', KEYS, 0o644)
  const withCredentials = await check([path('a.json')], '', { CREDENTIALS_DIRECTORY: path('.') })
  t.match(withCredentials, {
    code: 0,
    out: /1 SA, no errors/,
    err: /warning: .*one\.key has insecure permissions/,
  })
  const without = await check([path('a.json')])
  t.match(without, { code: 0, out: /0 SAs/, err: /warning: This key is not checked/ })
  write('twice.json', JSON.stringify({ associations: [...associations, ...associations] }))
  t.match(await check([path('twice.json')]), { code: 1, err: /error: Duplicate SA/ })
  t.match(await check([path('keys')]), { code: 0, err: /warning: The file has insecure permissions/ })
  t.match(await check([path('none')]), {
    code: 1,
    err: /none cannot be read \(no such file or directory\)\n/,
  })
  t.notOk((withCredentials.err + without.err).includes(KEY_128.slice(0, 8)))
})

t.test('misuse', async (t) => {
  t.match(await check([]), { code: 1, err: /a file is missing/ })
  t.match(await check(['--kind', 'xml', 'x']), { code: 1, err: /--kind wants one of json/ })
  t.match(await check(['x', '--json']), { code: 1, err: /options stand before the files: --json/ })
})
