import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { temporaryFolder } from '../../../compat/commands/support/temporary.ts'
import { TestNet } from '../../../support/namespaces.ts'

t.setTimeout(120_000)

const BIN = fileURLToPath(new URL('../../../../../bin/ipseckey', import.meta.url))
const KEY = '8f14e45fceea167a5a36dedd4bea2543'
const ADD = `add esp spi 0x100 src 192.0.2.1 dst 192.0.2.2 encr_alg aes encrkey ${KEY} auth_alg md5 authkey ${KEY}`

type Tap = Parameters<typeof temporaryFolder>[0] & ConstructorParameters<typeof TestNet>[0]

function command(t: Tap) {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o755)
  return {
    folder,
    file: (text: string, mode = 0o600) => {
      const path = join(folder, 'keys')
      writeFileSync(path, text)
      chmodSync(path, mode)
      return path
    },
    run: (argv: string[], options: { uid?: number; env?: Record<string, string>; input?: string } = {}) => {
      const { env, ...rest } = options
      const { status, stdout, stderr } = spawnSync(BIN, argv, {
        encoding: 'utf8',
        ...rest,
        env: { ...process.env, ...env, SOLIPSEC_RUN_DIR: join(folder, 'run') },
      })
      return { status, stdout, stderr }
    },
  }
}

const NOBODY = { uid: 65534 }

t.test('-c needs no privilege; everything else does', async (t) => {
  const { file, run } = command(t)
  t.match(run(['-c', file(ADD, 0o644)], NOBODY), { status: 0, stderr: /insecure permissions/ })
  for (const argv of [['dump'], ['flush'], ['-f', file(ADD, 0o644)], []]) {
    const ended = run(argv, NOBODY)
    t.match(
      ended,
      { status: 1, stderr: /^ipseckey: Insufficient privileges to run ipseckey\.\n$/ },
      argv.join(' '),
    )
  }
})

t.test('-c finds every error and shows no key', async (t) => {
  const { file, run } = command(t)
  const ended = run([
    '-c',
    file(`${ADD}\n${ADD}zz\nadd esp spi 0 dst nowhere.invalid authkey ${KEY}\nfrob\n`),
  ])
  t.equal(ended.status, 1)
  t.match(ended.stderr, /near line 2 /)
  t.match(ended.stderr, /near line 3 /)
  t.match(ended.stderr, /Unknown command \("frob"\)/)
  t.match(ended.stderr, /3 of 4 commands contained errors; nothing was changed\.\nFatal error - exiting\.\n$/)
  t.notMatch(ended.stderr + ended.stdout, KEY.slice(0, 8))
  t.match(run(['-c', file('frob\n')]), {
    status: 1,
    stderr: /Configuration file did not contain any valid SAs/,
  })
  t.same(run(['-c', file('# nothing\n\n')]), { status: 0, stdout: '', stderr: '' })
})

t.test('usage errors', async (t) => {
  const { file, run } = command(t)
  for (const argv of [['-f', file(''), '-s', 'x'], ['-f', file(''), 'dump'], ['-x'], ['-f']]) {
    t.match(run(argv), { status: 1, stdout: '' }, argv.join(' '))
  }
  t.match(run(['add', 'esp', 'spi', '1']), {
    status: 1,
    stderr: /can't do ADD or UPDATE from the command line/,
  })
  t.match(run(['flush', 'foo']), { status: 1, stderr: /Unknown SA type/ }, 'flushes nothing')
  t.match(run(['save']), { status: 1, stderr: /Must specify a specific SA type for save\./ })
})

t.test('files that others can read', async (t) => {
  const { file, run } = command(t)
  const SMF_FMRI = 'svc:/network/ipsec/manual-key:default'
  for (const mode of [0o640, 0o604, 0o620, 0o660]) {
    t.match(run(['-c', file('', mode)]), { status: 0, stderr: /WARNING/ }, mode.toString(8))
    const service = run(['-c', file('', mode)], { env: { SMF_FMRI } })
    t.match(service, { status: 95, stderr: /insecure permissions\.\nService svc:.* fatal error\.\n$/ })
  }
  for (const mode of [0o600, 0o400]) t.same(run(['-c', file('', mode)]).stderr, '', mode.toString(8))
})

t.test('commands from a pipe: no prompt among the output, errors do not end it', async (t) => {
  const { run } = command(t)
  const host = await new TestNet(t).host()
  const netns = ['--netns', host.namespace]
  const empty = 'Dump succeeded for SA type 0.\n'
  t.same(run(netns, { input: 'dump\ndump \\\n ah\n' }), {
    status: 0,
    stdout: `${empty}Dump succeeded for SA type 2.\n`,
    stderr: '',
  })
  const mixed = run(netns, { input: `frob\n${ADD}zz\ndelete esp spi 256 dst 192.0.2.2\ndump\nexit\nfrob2\n` })
  t.match(mixed, { status: 0, stdout: empty, stderr: /frob[\s\S]*does not exist/ })
  t.notMatch(mixed.stderr, /frob2/)
  t.notMatch(mixed.stderr, KEY.slice(0, 8))
})

t.test('a signal ends a monitor among commands from a pipe, and the commands', async (t) => {
  const { folder } = command(t)
  const host = await new TestNet(t).host()
  const child = spawn(BIN, ['--netns', host.namespace], {
    env: { ...process.env, SOLIPSEC_RUN_DIR: join(folder, 'run') },
  })
  child.stdin.end('flush\nmonitor\ndump\n')
  let out = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    out += text
    if (/Actively monitoring/.test(out)) child.kill('SIGINT')
  }
  t.equal(child.exitCode ?? (await once(child, 'exit'))[0], 1)
  t.equal(out, 'Actively monitoring the PF_KEY socket.\n')
})

/** A terminal with the command at its prompt. */
class Terminal {
  readonly #child
  #seen = ''

  constructor(t: Tap, argv: readonly string[], env: Record<string, string>) {
    this.#child = spawn('script', ['-qfec', [BIN, ...argv].join(' '), '/dev/null'], {
      env: { ...process.env, ...env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.teardown(() => {
      this.#child.kill()
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text
    })
  }

  /** Types, and waits for what must then appear. */
  async type(keys: string, expected: RegExp): Promise<string> {
    this.#seen = ''
    this.#child.stdin.write(keys)
    return this.see(expected)
  }

  async see(expected: RegExp): Promise<string> {
    for (const end = Date.now() + 20_000; !expected.test(this.#seen); ) {
      if (Date.now() > end) throw new Error(`no ${expected} in ${JSON.stringify(this.#seen)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return this.#seen
  }

  async ended(keys: string): Promise<number | null> {
    const exit = once(this.#child, 'exit')
    this.#child.stdin.write(keys)
    return (await exit)[0]
  }
}

const PROMPT = /ipseckey> /

t.test('at a terminal', async (t) => {
  const { folder } = command(t)
  const host = await new TestNet(t).host()
  const terminal = new Terminal(t, ['--netns', host.namespace], { SOLIPSEC_RUN_DIR: join(folder, 'run') })
  await terminal.see(PROMPT)
  await terminal.type('frob\r', /Unknown command \("frob"\)[\s\S]*ipseckey> /)
  await terminal.type('du\t', /dump/)
  await terminal.type(' a\t', / a/)
  await terminal.type('\t', /ah\s+all/)
  await terminal.type('h\r', /Dump succeeded for SA type 2[\s\S]*ipseckey> /)
  await terminal.type('delete-pair \\\r', /\n.*> /)
  await terminal.type('esp spi 0x100 dst 192.0.2.2\r', /does not exist[\s\S]*ipseckey> /)

  const refused = await terminal.type(`${ADD}zz\r`, /error[\s\S]*ipseckey> /)
  t.match(refused, /authkey x+/, 'the message blanks the key')
  const last = await terminal.type('\x1b[A', /192\.0\.2\.2/)
  t.notMatch(last, /encrkey/, 'the line with the key is not in the history')
  await terminal.type('\x03', /\^C[\s\S]*ipseckey> /)
  await terminal.type('dump\r', /Dump succeeded for SA type 0[\s\S]*ipseckey> /)
  await terminal.type('pmonitor\r', /Passively monitoring/)
  await terminal.type('\x03', /ipseckey> /)
  await terminal.type('dump esp\r', /Dump succeeded for SA type 3[\s\S]*ipseckey> /)
  t.equal(await terminal.ended('\x04'), 0)

  const second = new Terminal(t, ['--netns', host.namespace], { SOLIPSEC_RUN_DIR: join(folder, 'run') })
  await second.see(PROMPT)
  t.equal(await second.ended('exit\r'), 0)
})
