/**
 * The section `sockets`: no change of a command puts it into force, but the agent, for programs that ask.
 *
 * @module
 */
import { ControlConnection, NoAgentError } from '../../../../agent/daemon/control/client.ts'
import { counted } from '../../../../agent/model/counted.ts'
import type { SocketPolicy } from '../../../../agent/model/socket-policy.ts'
import { controlPath } from '../../../../agent/runtime/agent-sockets.ts'

/** A line, ended, that says who puts it into force; empty where there is nothing to. */
export function socketsText(sockets: readonly SocketPolicy[] = []): string {
  if (sockets.length === 0) return ''
  const what = counted(sockets.length, 'service')
  return `Sockets: policies of ${what}; the agent that loads this file gives them to programs that ask.\n`
}

/** Warnings where there is nobody to put it into force. */
export async function socketsWarnings(sockets: readonly SocketPolicy[] = []): Promise<string[]> {
  if (sockets.length === 0 || (await isAgentThere())) return []
  const names = sockets.map(({ service }) => service).join(', ')
  return [`No agent runs here: programs of ${names} that ask for a policy of their sockets get none.`]
}

async function isAgentThere(): Promise<boolean> {
  try {
    const connection = await ControlConnection.open(controlPath())
    connection.close()
    return true
  } catch (error) {
    if (error instanceof NoAgentError) return false
    throw error
  }
}
