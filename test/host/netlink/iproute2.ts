/**
 * What iproute2 sends: each command runs under strace in a network namespace of its own making, and the
 * bytes that it hands to `NETLINK_XFRM` are read from the trace. Whether the kernel then accepts them does
 * not matter.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One netlink message as sent, its `nlmsghdr` first. */
export interface Sent {
  readonly type: number
  readonly payload: Uint8Array
}

/** Why commands cannot be captured here, or `undefined` where they can. */
export function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace and strace'
  for (const [tool, option] of [
    ['strace', '-V'],
    ['ip', '-V'],
  ] as const) {
    try {
      execFileSync(tool, [option], { stdio: 'ignore' })
    } catch {
      return `needs ${tool} (apt-get install ${tool === 'ip' ? 'iproute2' : tool})`
    }
  }
  return undefined
}

/** A command line for `ip`, and others to run before it that are not looked at. */
export interface Line {
  readonly line: string
  readonly before?: readonly string[]
}

/** Runs `ip` with each of the lines, one after the other in one namespace, and gives what each sent. */
export function capture(commands: readonly Line[]): Sent[][] {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-iproute2-'))
  const namespace = `solipsec-iproute2-${process.pid}`
  try {
    const trace = 'strace -qq -e trace=sendmsg,sendto -e write=all'
    const lines = commands.flatMap(({ line, before = [] }, i) => [
      ...before.map((one) => `ip ${one} >/dev/null 2>&1`),
      `${trace} -o ${folder}/${i} ip ${line} >/dev/null 2>&1`,
    ])
    writeFileSync(join(folder, 'script'), ['ip link set lo up', ...lines, 'exit 0'].join('\n'))
    execFileSync('ip', ['netns', 'add', namespace])
    execFileSync('ip', ['netns', 'exec', namespace, 'sh', join(folder, 'script')])
    return commands.map((_, i) => messages(readFileSync(join(folder, String(i)), 'utf8')))
  } finally {
    try {
      execFileSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' })
    } catch {
      // It was never made.
    }
    rmSync(folder, { recursive: true })
  }
}

/** The messages in a trace: a line for the call, then its bytes as a hex dump, 16 to a line. */
function messages(trace: string): Sent[] {
  const sent: Sent[] = []
  let dump: number[] = []
  const finish = () => {
    sent.push(...split(Uint8Array.from(dump)))
    dump = []
  }
  let ours = false
  for (const line of trace.split('\n')) {
    if (line.startsWith(' * ')) continue
    if (!line.startsWith(' | ')) {
      finish()
      ours = line.includes('XFRM_MSG_')
    } else if (ours) {
      const digits = line.slice(10, 59).trim().split(/ +/)
      dump.push(...digits.map((byte) => Number.parseInt(byte, 16)))
    }
  }
  finish()
  return sent
}

function* split(bytes: Uint8Array): Generator<Sent> {
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true)
    yield { type: view.getUint16(at + 4, true), payload: bytes.subarray(at + 16, at + length) }
    at += (length + 3) & ~3
  }
}
