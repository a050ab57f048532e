import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { replaceFile } from '../../../../compat/commands/support/atomic-file.ts'
import { DescriptorOutput } from '../../../../compat/commands/support/process-io.ts'
import { temporaryFolder } from './temporary.ts'

const noStream = (): never => {
  throw new Error('no stream was asked for')
}

t.test('replaceFile makes folders, sets the mode and leaves nothing behind', async (t) => {
  const path = join(temporaryFolder(t), 'etc/inet/file')
  replaceFile(path, 'one', 0o444)
  replaceFile(path, 'two', 0o640)
  t.equal(readFileSync(path, 'utf8'), 'two')
  t.equal(statSync(path).mode & 0o7777, 0o640)
  t.same(readdirSync(join(path, '..')), ['file'])
})

t.test('replaceFile writes through a symbolic link', async (t) => {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'real'))
  writeFileSync(join(root, 'real/file'), 'old')
  symlinkSync('real/file', join(root, 'link'))
  replaceFile(join(root, 'link'), 'new', 0o600)
  t.ok(lstatSync(join(root, 'link')).isSymbolicLink())
  t.equal(readFileSync(join(root, 'real/file'), 'utf8'), 'new')
})

t.test('replaceFile that fails leaves the old file and no other', async (t) => {
  const root = temporaryFolder(t)
  writeFileSync(join(root, 'file'), 'old')
  t.throws(() => replaceFile(join(root, 'file'), 7 as unknown as string, 0o600), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
  mkdirSync(join(root, 'folder/x'), { recursive: true })
  t.throws(() => replaceFile(join(root, 'folder'), 'text', 0o600))
  t.same(readdirSync(root), ['file', 'folder'])
  t.equal(readFileSync(join(root, 'file'), 'utf8'), 'old')
})

t.test('output is whole also through a pipe that does not block', async (t) => {
  const root = temporaryFolder(t)
  const fifo = join(root, 'fifo')
  execFileSync('mkfifo', [fifo])
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  const reader = spawn('sh', ['-c', `sleep 0.1; head -c 1000000 ${fifo} > ${join(root, 'copy')}`])
  const output = new DescriptorOutput(fd, { buffered: true, stream: noStream })
  const line = `${'x'.repeat(99)}\n`
  for (let i = 0; i < 10_000; i++) output.write(line)
  output.flush()
  t.equal(output.failure, undefined)
  await once(reader, 'exit')
  closeSync(fd)
  t.equal(statSync(join(root, 'copy')).size, 1_000_000)
})

t.test('a reader that goes away is no failure, a full disk is', async (t) => {
  const full = openSync('/dev/full', 'w')
  const output = new DescriptorOutput(full, { buffered: true, stream: noStream })
  output.write('text')
  output.flush()
  t.equal(output.failure, 'ENOSPC')
  closeSync(full)

  const root = temporaryFolder(t)
  const fifo = join(root, 'fifo')
  execFileSync('mkfifo', [fifo])
  const reading = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writing = openSync(fifo, constants.O_WRONLY)
  closeSync(reading)
  const pipe = new DescriptorOutput(writing, { buffered: false, stream: noStream })
  pipe.write('text')
  pipe.write('text')
  t.equal(pipe.failure, undefined)
  closeSync(writing)
})

t.test('standard output comes before what standard error says later', async (t) => {
  const path = join(temporaryFolder(t), 'log')
  const fd = openSync(path, 'w')
  const out = new DescriptorOutput(fd, { buffered: true, stream: noStream })
  const err = new DescriptorOutput(fd, { buffered: false, before: () => out.flush(), stream: noStream })
  out.write('1')
  err.write('2')
  out.write('3')
  out.flush()
  t.equal(readFileSync(path, 'utf8'), '123')
  closeSync(fd)
})

t.test('folders that are missing are made, and those that cannot be are an error', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a', 'b', 'file')
  replaceFile(path, 'one', 0o640)
  t.equal(readFileSync(path, 'utf8'), 'one')
  t.throws(() => replaceFile('/proc/none/file', 'x', 0o600), { code: 'ENOENT' })
  t.throws(() => replaceFile('/proc/none/more/file', 'x', 0o600), { code: 'ENOENT' })
  writeFileSync(join(folder, 'plain'), '')
  t.throws(() => replaceFile(join(folder, 'plain', 'file'), 'x', 0o600), { code: 'EEXIST' })
})
