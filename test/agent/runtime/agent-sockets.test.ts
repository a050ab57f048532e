import { existsSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import {
  controlPath,
  linkUsualSockets,
  socketsPath,
  usualSocketsPath,
} from '../../../agent/runtime/agent-sockets.ts'

const folder = t.testdir()
t.before(() => {
  process.env.SOLIPSEC_RUN_DIR = folder
})

t.test('the usual places lead to the sockets of this namespace, and go with the agent', async (t) => {
  symlinkSync('left behind', usualSocketsPath())
  const unlink = linkUsualSockets()
  t.equal(readlinkSync(join(folder, 'control')), basename(controlPath()))
  t.equal(readlinkSync(join(folder, 'sockets')), basename(socketsPath()))
  unlink()
  t.notOk(existsSync(join(folder, 'control')))
  t.equal(targetOf(usualSocketsPath()), undefined)
})

t.test('what another agent has linked since stays', async (t) => {
  const unlink = linkUsualSockets()
  const link = usualSocketsPath()
  rmSync(link)
  symlinkSync('sockets.1', link)
  unlink()
  t.equal(readlinkSync(link), 'sockets.1')
  t.equal(targetOf(join(folder, 'control')), undefined)
})

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
