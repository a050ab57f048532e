/**
 * Are we started by a service manager, or by a person at a shell?
 *
 * @module
 */
import { fstatSync, readFileSync } from 'node:fs'
import type { Service } from './io.ts'

/**
 * Recognises SMF by `SMF_FMRI`, and systemd by `JOURNAL_STREAM`: systemd.exec(5) has a program compare the
 * device and inode in it with its own standard error, for children that redirect their output inherit the
 * variable as well.
 *
 * @param stderr descriptor to compare; its device and inode are looked at, nothing is written
 */
export function detectService(
  env: Readonly<Record<string, string | undefined>>,
  stderr = 2,
): Service | undefined {
  if (env.SMF_FMRI) return { name: env.SMF_FMRI }
  const stream = /^(\d+):(\d+)$/.exec(env.JOURNAL_STREAM ?? '')
  if (!stream) return undefined
  try {
    const { dev, ino } = fstatSync(stderr, { bigint: true })
    if (String(dev) !== stream[1] || String(ino) !== stream[2]) return undefined
  } catch {
    return undefined // a closed standard error is connected to no journal
  }
  return { name: unitName() ?? 'solipsec' }
}

/** The systemd unit that this process belongs to: the innermost `*.service` of its control group. */
function unitName(): string | undefined {
  try {
    const path = readFileSync('/proc/self/cgroup', 'utf8').split('\n')[0] ?? ''
    return path
      .split('/')
      .reverse()
      .find((part) => part.endsWith('.service'))
  } catch {
    return undefined
  }
}
