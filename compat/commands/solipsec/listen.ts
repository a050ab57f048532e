/**
 * `solipsec listen`: opens a socket, has the agent protect it, and becomes the command that it is for.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { SocketPolicyError } from '../../../agent/sockets/client/error.ts'
import { openSocket } from '../../../agent/sockets/client/open.ts'
import type { SocketPolicy } from '../../../agent/sockets/client/policy.ts'
import { errnoText, SystemError } from '../../../netlink/libc/errno.ts'
import { replaceProcess } from '../../../netlink/libc/exec.ts'
import { listen } from '../../../netlink/libc/socket.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { systemReason } from '../support/system-text.ts'
import { interpret, optionTable, type Request } from './listen/arguments.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec listen', options: optionTable, interpret, carryOut })

const CONFIGURED: SocketPolicy = { action: 'service' }
/** As Node's own servers have it. */
const BACKLOG = 511

/** Does not return: this process becomes the command, and so has the number that `LISTEN_PID` says. */
async function carryOut(request: Request, io: Io): Promise<void> {
  const { place, type, wait, name, program, argv } = request
  const policy = request.policy === undefined ? CONFIGURED : readPolicy(request.policy)
  let fd: number
  try {
    fd = await openSocket(type, place, policy, { wait })
    if (type === 'tcp') listen(fd, BACKLOG)
  } catch (error) {
    if (error instanceof SocketPolicyError) throw new CommandError(`${error.code}: ${error.message}`)
    throw error
  }
  const env = {
    ...io.env,
    LISTEN_PID: String(process.pid),
    LISTEN_FDS: '1',
    LISTEN_FDNAMES: name,
  }
  io.stdout.flush()
  try {
    replaceProcess(program, argv, env, fd)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new CommandError(`${program}: ${errnoText(error.errno)}`)
  }
}

/** @throws CommandError */
function readPolicy(text: string): SocketPolicy {
  const isInline = text.trimStart().startsWith('{')
  let json = text
  try {
    if (!isInline) json = readFileSync(text, 'utf8')
  } catch (error) {
    throw new CommandError(`${text} cannot be read (${systemReason(error as Error)})`)
  }
  let policy: unknown
  try {
    policy = JSON.parse(json)
  } catch {
    // Reported below.
  }
  if (typeof policy === 'object' && policy !== null && !Array.isArray(policy)) return policy as SocketPolicy
  throw new CommandError(
    `${isInline ? '--policy' : text}: a policy is a JSON object, see solipsec-sockets(7)`,
  )
}
