import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { type Places, run } from '../../../compat/commands/ipsecalgs.ts'
import {
  fileOf,
  parseAlgorithmFile,
  printAlgorithmFile,
  tableOf,
} from '../../../compat/solaris/ipsecalgs/file.ts'
import { listFile } from '../../../compat/solaris/ipsecalgs/listing.ts'
import { loadAlgorithmTable, loadSynchronisedTable } from '../../../compat/solaris/ipsecalgs/load.ts'
import { synchronise, synchronisedFile } from '../../../compat/solaris/ipsecalgs/synchronised.ts'
import { captureIo } from './support/capture-io.ts'
import { temporaryFolder } from './support/temporary.ts'

/** The command on files of its own, with its arguments in one string. */
function machine(t: Parameters<typeof temporaryFolder>[0]) {
  const root = temporaryFolder(t)
  const places: Places = {
    table: join(root, 'etc/ipsecalgs'),
    synchronised: join(root, 'run/ipsecalgs'),
    lock: join(root, 'run/ipsecalgs.lock'),
  }
  mkdirSync(join(root, 'etc'))
  return {
    root,
    places,
    text: () => readFileSync(places.table, 'utf8'),
    async command(line: string) {
      const io = captureIo()
      const code = await run(line === '' ? [] : line.split(' '), io, places)
      return { code, out: io.out(), err: io.err() }
    },
  }
}

const CAMELLIA =
  '-P IPSEC_PROTO_ESP -N 22 -n camellia-cbc,camellia -m CKM_CAMELLIA_CBC -k 128-256 -i 64 -b 16'

t.test('without a file, the built-in table is listed', async (t) => {
  const { command } = machine(t)
  t.same(await command(''), { code: 0, out: listFile(defaultAlgorithmTable), err: '' })
  const { protocols } = JSON.parse((await command('--json')).out)
  t.equal(protocols[1].algorithms.length, 14)
})

t.test('adding and removing algorithms writes the file', async (t) => {
  const { command, text, places, root } = machine(t)
  t.same(await command(`-a ${CAMELLIA}`), { code: 0, out: '', err: '' })
  t.ok(text().endsWith('\nALG|3|22|camellia-cbc,camellia|CKM_CAMELLIA_CBC|128/128-256,64|16\n'))
  t.equal(statSync(places.table).mode & 0o7777, 0o444)
  t.same(readdirSync(join(root, 'etc')), ['ipsecalgs'], 'no temporary file is left')
  const before = text()
  t.same(await command(`-a ${CAMELLIA}`), {
    code: 1,
    out: '',
    err: 'ipsecalgs: The algorithm already exists.\n',
  })
  t.equal(text(), before)
  t.equal((await command(`-a -f ${CAMELLIA.replace('128-256', '192/128-256')}`)).code, 0)
  t.match(text(), /192\/128-256,64/)
  t.equal((await command('-r -p 3 -n Camellia')).code, 0)
  t.same(loadAlgorithmTable(places.table).table, defaultAlgorithmTable)
  t.match(await command('-r -p 3 -N 22'), { code: 1, err: /Unknown algorithm\./ })
})

t.test('combined modes', async (t) => {
  const { command, text } = machine(t)
  const line = '-a -p 3 -N 200 -n x -m CKM_X -k 256,128 -K 128 -b 16 -I 8 -M 12 -S 4 -F VALID,counter,0x40'
  t.match(await command(line), { code: 1, err: /Invalid flag: 0x40/ })
  t.equal((await command(line.replace(',0x40', ',COMBINED,GCM'))).code, 0)
  t.match(text(), /\nALG\|3\|200\|x\|CKM_X\|128,256\|16\|8,12,4\|23\n/)
})

t.test('a line that is too long to be read back is not written', async (t) => {
  const { command, places } = machine(t)
  const names = Array.from({ length: 200 }, (_, i) => `name${i}`).join(',')
  const { code, err } = await command(`-a -p 3 -N 99 -n ${names} -m M -k 8 -b 8`)
  t.equal(code, 1)
  t.match(err, /would become unreadable: .*too long/)
  t.throws(() => statSync(places.table), { code: 'ENOENT' })
})

t.test('protocols', async (t) => {
  const { command, text } = machine(t)
  t.equal((await command('-a -P PROTO_X -p 9 -e async')).code, 0)
  t.match(text(), /\nPROTO\|9\|PROTO_X\|async\n$/)
  t.match(await command('-a -P PROTO_X -p 10'), { code: 1, err: /protocol already exists/ })
  t.equal((await command('-e sync -P proto_x')).code, 0)
  t.match(text(), /\nPROTO\|9\|PROTO_X\|sync\n$/)
  t.match(
    await command('-R -P PROTO_X -p 8'),
    { code: 1, err: /Unknown protocol\./ },
    'name and number disagree',
  )
  t.equal((await command('-R -P PROTO_X -p 9')).code, 0)
  t.equal((await command('-R -p 3')).code, 0)
  t.notMatch(text(), /PROTO_X|^(PROTO|ALG)\|3\|/m)
  t.match(await command('-e async -p 3'), { code: 1, err: /Unknown protocol\./ })
})

t.test('comments and package markers outlive an edit', async (t) => {
  const { command, text, places } = machine(t)
  const original = '# Start pkg\nPROTO|3|ESP|sync\nALG|3|12|aes|M|128|16\n# End pkg\n'
  writeFileSync(places.table, original)
  t.equal((await command('-a -p 3 -N 99 -n x -m M -k 0 -b 0')).code, 0)
  t.equal(text(), `${original}ALG|3|99|x|M|0|0\n`)
})

t.test('values that are missing or bad', async (t) => {
  const { command, places } = machine(t)
  const rows: [string, string][] = [
    ['-a -n x', 'Missing protocol number.'],
    ['-a -p x -n x', 'Invalid protocol number value.'],
    ['-a -p 3', 'Missing protocol name.'],
    ['-a -P X', 'Missing protocol number.'],
    ['-a -P X -p 3 -e now', 'Invalid execution mode value.'],
    ['-e now -p 3', 'Invalid execution mode value.'],
    ['-a -p 3 -n x', 'Missing algorithm number.'],
    ['-a -p 3 -n x -N 0', 'Invalid algorithm number value.'],
    ['-a -p 3 -n x -N 256', 'Invalid algorithm number value.'],
    ['-a -p 3 -n x -N 1', 'Missing key size(s).'],
    ['-a -p 3 -N 1 -k 8', 'Missing algorithm name(s).'],
    ['-a -p 3 -N 1 -k 8 -n any', 'Invalid algorithm name(s) value.'],
    ...['foo(128)', '{x}', 'ok,a"b', 'a\\'].map((names): [string, string] => [
      `-a -p 3 -N 1 -k 8 -b 8 -m M -n ${names}`,
      `Invalid algorithm name(s) value: ${names.split(',').at(-1)} has a ${/\W/.exec(names.replace(',', ''))}, which means something else in policies and key files.`,
    ]),
    ...['12', '007', '0x1F'].map((name): [string, string] => [
      `-a -p 3 -N 1 -k 8 -b 8 -m M -n ${name}`,
      `Invalid algorithm name(s) value: ${name} would be read as the number of an algorithm.`,
    ]),
    ['-a -p 3 -N 1 -k 8 -n x', 'Missing block/MAC lengths'],
    ['-a -p 3 -N 1 -k 8 -n x -b y', 'Invalid block/MAC lengths value.'],
    ['-a -p 3 -N 1 -k 8 -n x -b 8', 'Missing mechanism name.'],
    ['-a -p 3 -N 1 -k 8 -n x -b 8 -m M -I x', 'Invalid IV length value.'],
    ['-a -p 3 -N 1 -k 8 -n x -b 8 -m M -M x', 'Invalid MAC length value.'],
    ['-a -p 3 -N 1 -k 8 -n x -b 8 -m M -S 256', 'Invalid salt length value.'],
    ['-a -p 3 -N 1 -k 8 -n x -b 8 -m M -F BIG', 'Invalid flag: BIG'],
    ['-a -p 3 -N 1 -k y', 'Invalid key size value.'],
    ['-a -p 3 -N 1 -k 8,16 -K 9', 'Invalid default key size value.'],
    ['-a -p 3 -N 1 -k 8,16 -i 8', 'Key increment must not be specified with key sizes enumeration'],
    ['-a -p 3 -N 1 -k 8-16', 'Missing key increment'],
    ['-a -p 3 -N 1 -k x-16 -i 8', 'Invalid lower key size range'],
    ['-a -p 3 -N 1 -k 8-x -i 8', 'Invalid higher key size range'],
    ['-a -p 3 -N 1 -k 16-8 -i 8', 'Invalid key size range (min >= max)'],
    ['-a -p 3 -N 1 -k 8-16 -i 3', 'Key size increment not consistent with key size range'],
    ['-a -p 3 -N 1 -k 8-16 -i 8 -K 9', 'Default key size not consistent with key size range'],
    ['-a -p 3 -N 1 -k 8/8-16 -i 8 -K 16', 'Default key size not consistent with key size range'],
    ['-r -p 3', 'Missing algorithm number.'],
    ['-r -p 3 -n a,b', 'Invalid algorithm name value.'],
    ['-R', 'Missing protocol number.'],
  ]
  for (const [line, message] of rows) {
    t.same(await command(line), { code: 1, out: '', err: `ipsecalgs: ${message}\n` }, line)
  }
  t.throws(() => statSync(places.table), { code: 'ENOENT' }, 'nothing was written')
})

t.test('bad usage shows how it is used', async (t) => {
  const { command } = machine(t)
  const rows: [string, string][] = [
    ['-a -r', 'Multiple commands specified'],
    ['-l -a', 'Multiple commands specified'],
    ['-l -s', '-l and -s do not go together'],
    ['-N 3', '-N needs -a, -r, -R or -e'],
    ['-l -p 3', '-p needs -a, -r, -R or -e'],
    ['-s --json', '--json is for listings'],
    ['--dry-run', '--dry-run is for changes'],
    ['x', `unexpected operand 'x'`],
    ['-z', 'illegal option -- z'],
    ['-a -n', 'option requires an argument -- n'],
  ]
  for (const [line, message] of rows) {
    const { code, out, err } = await command(line)
    t.equal(code, 1, line)
    t.equal(out, '')
    t.ok(err.startsWith(`ipsecalgs: ${message}\nUsage:\n  ipsecalgs [--json]\n`), line)
  }
})

t.test('--dry-run shows the file and writes nothing', async (t) => {
  const { command, places } = machine(t)
  const { code, out } = await command('-r -p 2 -n md5 --dry-run')
  t.equal(code, 0)
  t.ok(out.startsWith(`Would write ${places.table}:\nPROTO|2|`))
  t.notMatch(out, /md5/)
  t.throws(() => statSync(places.table), { code: 'ENOENT' })
})

t.test('a corrupt file is refused whole, with each bad line', async (t) => {
  const { command, places, text } = machine(t)
  const corrupt = 'PROTO|3|ESP|sync\nnonsense\nALG|3|x|a|M|8|8\n'
  writeFileSync(places.table, corrupt)
  for (const line of ['', '-r -p 3 -n a']) {
    const { code, out, err } = await command(line)
    t.equal(code, 1)
    t.equal(out, '')
    t.match(err, /is corrupt; .*\n.*:2:1: error: Corrupt line 2/)
    t.match(err, /:3:7: error: Corrupt line 3: Invalid algorithm number/)
  }
  t.equal(text(), corrupt)
  t.same(loadAlgorithmTable(places.table).table, { protocols: [], algorithms: [] })
})

t.test('the synchronised list is what -l shows', async (t) => {
  const { command, places, root } = machine(t)
  const table = synchronise(defaultAlgorithmTable, (entry) => entry.number === 12)
  mkdirSync(join(root, 'run'))
  writeFileSync(places.synchronised, printAlgorithmFile(synchronisedFile(table, release())))
  t.same(loadSynchronisedTable(places.synchronised), table)
  const { code, out, err } = await command('-l')
  t.equal(code, 0)
  t.equal(err, '')
  t.ok(out.startsWith('Kernel list of algorithms:\n'))
  t.equal(out.match(/flags: VALID/g)?.length, 1)
  t.equal(out.match(/flags: INVALID/g)?.length, 20)
  const { protocols } = JSON.parse((await command('-l --json')).out)
  t.equal(protocols[1].algorithms.filter((entry: { valid: boolean }) => entry.valid).length, 1)
  writeFileSync(places.synchronised, printAlgorithmFile(synchronisedFile(table, 'another')))
  t.equal(loadSynchronisedTable(places.synchronised), undefined)
})

t.test('--help and --version', async (t) => {
  const { command } = machine(t)
  const { code, out } = await command('-a --help')
  t.equal(code, 0)
  t.match(out, /^Usage:\n {2}ipsecalgs \[--json\]\n[\s\S]*\nOptions:\n {2}-l /)
  t.match(await command('--version'), { code: 0, out: /^ipsecalgs \(solipsec\) \d+\.\d+\.\d+\n$/ })
})

t.test('a written table is read by its own parser', async (t) => {
  const text = printAlgorithmFile(fileOf(defaultAlgorithmTable))
  const { file } = parseAlgorithmFile(text, 'x')
  t.same(file && tableOf(file), defaultAlgorithmTable)
})
