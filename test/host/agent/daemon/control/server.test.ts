/** The control socket, and clients that do not mean well. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ControlConnection, callAgent, NoAgentError } from '../../../../../agent/daemon/control/client.ts'
import { ControlError, code } from '../../../../../agent/daemon/control/protocol.ts'
import { ControlServer, type Methods } from '../../../../../agent/daemon/control/server.ts'

t.setTimeout(60_000)
const folder = mkdtempSync(join(tmpdir(), 'solipsec-control-'))
chmodSync(folder, 0o755)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'control')

const methods: Methods = {
  echo: { access: 'read', run: (params) => params },
  slow: { access: 'read', run: () => sleep(50).then(() => 'slow') },
  who: { access: 'read', run: (_, { credentials }) => credentials },
  secret: {
    access: 'read',
    run: () => {
      throw new TypeError('0123456789abcdef is no key')
    },
  },
  refuse: {
    access: 'read',
    run: () => {
      throw new ControlError(code.FAILED, 'no')
    },
  },
  change: { access: 'change', run: () => 'changed' },
  listen: { access: 'read', run: (_, client) => client.subscribe() },
}
const server = new ControlServer(path, methods)
t.teardown(() => server.close())

/** An error on the way is none here. */
const closeOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

/** Everything that comes until the other end closes, after something was sent. */
async function exchange(text: string): Promise<string[]> {
  const socket = createConnection(path)
  const lines: string[] = []
  createInterface({ input: socket }).on('line', (line) => lines.push(line))
  socket.on('error', () => {})
  socket.end(text)
  await once(socket, 'close')
  return lines
}

t.test('requests of one client are answered in their order', async (t) => {
  const connection = await ControlConnection.open(path)
  const order: unknown[] = []
  await Promise.all([
    connection.call('slow').then((answer) => order.push(answer)),
    connection.call('echo', { a: [1, 'ü'] }).then((answer) => order.push(answer)),
  ])
  t.same(order, ['slow', { a: [1, 'ü'] }])
  t.match(await connection.call('who'), { uid: 0, pid: process.pid })
  await t.rejects(connection.call('refuse'), { message: 'no' })
  await t.rejects(connection.call('nothing'), { message: /no method 'nothing'/ })
  await t.rejects(connection.call('constructor'), { message: /no method/ })
  await t.rejects(connection.call('secret'), { message: 'something went wrong in the agent' })
  t.equal(await connection.call('change'), 'changed')
  connection.close()
  await t.rejects(callAgent(join(folder, 'nobody'), 'who'), NoAgentError)
})

t.test('half a line, several at once, and none', async (t) => {
  const lines = await exchange(
    '\n\n{"jsonrpc":"2.0","id":1,"method":"echo"}\nx\n{"jsonrpc":"2.0","method":"echo"}\n{"jso',
  )
  t.same(
    lines.map((line) => JSON.parse(line)).map(({ id, error }) => [id, error?.code]),
    [
      [1, undefined],
      [null, code.PARSE_ERROR],
    ],
  )
  const socket = createConnection(path)
  const answer = once(createInterface({ input: socket }), 'line')
  for (const part of ['{"jsonrpc":', '"2.0","id":"é', '","method":"echo"}', '\n']) {
    socket.write(part)
    await sleep(5)
  }
  t.same(JSON.parse((await answer)[0]), { jsonrpc: '2.0', id: 'é', result: {} })
  socket.destroy()
})

t.test('events come to those who have asked for them', async (t) => {
  const events: unknown[] = []
  const [listener, other] = [
    await ControlConnection.open(path, (method, params) => events.push([method, params])),
    await ControlConnection.open(path, () => t.fail('it has not asked')),
  ]
  await listener.call('listen')
  server.notify('agent.event', { a: 1 })
  await Promise.all([listener.call('echo'), other.call('echo')])
  t.same(events, [['agent.event', { a: 1 }]])
  listener.close()
  other.close()
})

t.test('who is not root may only look, and not at all where nobody says so', async (t) => {
  const script = `
    const socket = require('node:net').createConnection(process.argv[1])
    socket.on('error', (error) => console.log(error.code))
    socket.on('data', (data) => { process.stdout.write(data); socket.end() })
    socket.write('{"jsonrpc":"2.0","id":1,"method":"change"}\\n{"jsonrpc":"2.0","id":2,"method":"echo"}\\n')
  `
  const asNobody = () =>
    spawnSync(
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script, path],
      {
        encoding: 'utf8',
      },
    ).stdout
  const child = async () => {
    const { stdout } = spawn('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      process.execPath,
      '-e',
      script,
      path,
    ])
    let out = ''
    for await (const chunk of stdout) out += chunk
    return out
  }
  t.equal(statSync(path).mode & 0o007, 0, 'others cannot connect')
  t.match(asNobody(), /EACCES/)
  chmodSync(path, 0o666)
  const out = await child()
  t.match(out, /"code":-32001,"message":"only root may call change"/)
  t.match(out, /"id":2,"result":\{\}/)
})

t.test('a line without end, and a client that does not read', async (t) => {
  const socket = createConnection(path)
  socket.on('error', () => {})
  const closed = closeOf(socket)
  let sent = 0
  const chunk = Buffer.alloc(1024 * 1024, 0x20)
  const push = (): void => {
    if (!socket.writable || sent > 100 * 1024 * 1024) return
    sent += chunk.length
    socket.write(chunk, push)
  }
  push()
  socket.resume()
  await closed
  t.ok(sent < 100 * 1024 * 1024, 'root has a limit as well')

  const deaf = createConnection(path)
  deaf.on('error', () => {})
  deaf.pause()
  deaf.write('{"jsonrpc":"2.0","id":1,"method":"listen"}\n')
  await sleep(50)
  const event = { text: 'x'.repeat(1024 * 1024) }
  for (let i = 0; i < 40; i++) server.notify('agent.event', event)
  await sleep(50)
  t.same(await callAgent(path, 'echo', { b: 1 }), { b: 1 }, 'others are served')
  const gone = closeOf(deaf)
  deaf.resume()
  await gone
  t.pass('and it is cut off')
})

t.test('a flood of connections', async (t) => {
  const sockets: Socket[] = []
  for (let i = 0; i < 400; i++) sockets.push(createConnection(path).on('error', () => {}))
  await sleep(200)
  t.ok(sockets.filter(({ destroyed }) => destroyed).length >= 100, 'those that are too many are closed')
  for (const socket of sockets) socket.destroy()
  await sleep(100)
  t.same(await callAgent(path, 'echo', {}), {}, 'and then it goes on')
})

t.test('whatever stands in its place is replaced, and nothing else is touched', async (t) => {
  const target = join(folder, 'precious')
  writeFileSync(target, 'precious')
  const place = join(folder, 'other')
  symlinkSync(target, place)
  symlinkSync(target, `${place}.new`)
  const other = new ControlServer(place, methods)
  t.same(await callAgent(place, 'echo', {}), {})
  other.close()
  t.equal(statSync(target).size, 8)
  t.throws(() => statSync(place), { code: 'ENOENT' })
})
