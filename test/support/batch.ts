/**
 * Batch files of `ip`: made by `solipsec convert` within a namespace, loaded by the real `ip`, and read back.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ForeignKind } from '../../compat/foreign/kinds.ts'
import { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'

const BIN = fileURLToPath(new URL('../../../bin/solipsec', import.meta.url))

export interface Converted {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `solipsec convert --to iproute2`, for the host that a namespace is. */
export function batchFor(netns: string, ...argv: string[]): Converted {
  return convertedFor(netns, 'iproute2', ...argv)
}

/** `solipsec convert --to` some language, for the host that a namespace is. */
export function convertedFor(netns: string, language: ForeignKind, ...argv: string[]): Converted {
  const words = ['netns', 'exec', netns, process.execPath, BIN, 'convert', '--to', language, ...argv]
  return spawnSync('ip', words, { encoding: 'utf8' })
}

/** Loads it. @throws Error with what `ip` says */
export function loadBatch(netns: string, text: string): void {
  const { status, stderr } = spawnSync('ip', ['-n', netns, '-batch', '-'], { input: text, encoding: 'utf8' })
  if (status !== 0 || stderr !== '') throw new Error(`ip -batch: ${stderr}`)
}

/** Everything that the kernel has there, in its order, without what time changes. */
export function kernelOf(netns: string): {
  readonly policies: XfrmMessage<'NEWPOLICY'>[]
  readonly states: XfrmMessage<'NEWSA'>[]
} {
  const connection = XfrmConnection.open({ netns })
  try {
    return {
      policies: connection.policies().map(({ name, body, attributes }) => ({
        name,
        body: { ...body, curlft: { ...body.curlft, add_time: 0n } },
        attributes,
      })),
      states: connection.states().map(({ name, body, attributes }) => ({
        name,
        body: { ...body, curlft: { ...body.curlft, add_time: 0n } },
        attributes,
      })),
    }
  } finally {
    connection.close()
  }
}
