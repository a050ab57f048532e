/** A capture of any size takes the same memory, also where packets are opened. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { captureOf, folderWith, KEY_FILE, protector, udpPacket } from '../captures.ts'

const program = fileURLToPath(new URL('../../../../../../bin/solipsec', import.meta.url))
const PACKETS = 4000
/** Times the same packets, some 1400 bytes each, are sent: 200 MB in all. */
const ROUNDS = 36
/** What the collector leaves lying about may grow; the file is many times that. */
const ALLOWED_GROWTH = 32 * 1024

t.setTimeout(120_000)

/** Resident memory in kilobytes. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

t.test('200 MB through a pipe', async (t) => {
  const protect = protector()
  const file = captureOf(Array.from({ length: PACKETS }, () => protect(udpPacket(1001, 1350))))
  const place = folderWith(t, { keys: KEY_FILE })
  // The filter lets none pass, and yet all are opened.
  const argv = ['snoop', '-n', '-q', '-r', '-', '-k', place('keys'), 'port', '1']
  const child = spawn(program, argv, { stdio: ['pipe', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.on('data', (text) => {
    err += text
  })
  const exit = once(child, 'close')
  const records = file.subarray(24)
  let early = 0
  let most = 0
  child.stdin.write(file.subarray(0, 24))
  for (let round = 0; round < ROUNDS; round++) {
    if (!child.stdin.write(records)) await once(child.stdin, 'drain')
    const now = residentOf(child.pid ?? 0)
    if (round === 5) early = now
    most = Math.max(most, now)
  }
  child.stdin.end()
  const [code] = await exit
  t.equal(code, 0)
  t.equal(err, `${PACKETS * ROUNDS} packets, 0 shown\n`)
  t.ok(early > 0)
  t.ok(most - early < ALLOWED_GROWTH, `grew from ${early} kB to ${most} kB`)
  t.comment(`from ${early} kB to ${most} kB`)
})
