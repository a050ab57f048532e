/**
 * Packets of the network, as they come.
 *
 * @module
 */
import { listInterfaces, type NetworkInterface } from '../../../../agent/capture/interfaces.ts'
import { LiveCapture } from '../../../../agent/capture/live.ts'
import { SystemError } from '../../../../netlink/libc/errno.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import type { Request } from './arguments.ts'
import { totalsText } from './totals.ts'
import type { Viewer } from './viewer.ts'

const ANY = 'any'

/**
 * Shows packets until interrupted, or as many as were asked for.
 *
 * @throws CommandError
 */
export async function viewNetwork(
  name: string | undefined,
  viewer: Viewer,
  request: Request,
  io: Io,
): Promise<void> {
  const { interrupted } = io
  const device = chooseDevice(name, listInterfaces())
  const capture = open(device, request)
  const isPromiscuous = request.isPromiscuous && device !== ANY
  const title = device === ANY ? 'all interfaces' : device.name
  io.stderr.write(`Using device ${title} (${isPromiscuous ? '' : 'non-'}promiscuous mode)\n`)
  const isCounted = io.stderr.isTTY && !request.isTextWanted
  try {
    const broken = await new Promise<string | undefined>((resolve, reject) => {
      interrupted.addEventListener('abort', () => resolve(undefined), { once: true })
      if (interrupted.aborted) resolve(undefined)
      // Called by the event loop: what is thrown there would be nobody's.
      const guarded = (work: () => void) => {
        try {
          work()
        } catch (error) {
          capture.close()
          reject(error)
        }
      }
      capture.listen({
        frame: (frame) =>
          guarded(() => {
            if (viewer.view(frame)) return
            // Nothing more is to be shown, whatever waits in the socket.
            capture.close()
            resolve(undefined)
          }),
        pause: () =>
          guarded(() => {
            if (request.drops) countDrops(capture, viewer)
            viewer.flush()
            if (isCounted) io.stderr.write(`\r${viewer.shown} packets `)
          }),
        broken: resolve,
      })
    })
    if (broken !== undefined) throw new CommandError(`${title}: ${broken}`)
  } finally {
    capture.close()
    viewer.flush()
    const { output } = request
    const { seen, shown, verdicts } = viewer
    const { dropped } = capture
    const totals = { seen, shown, verdicts, dropped, ...(output !== undefined && { output }) }
    io.stderr.write(`${isCounted ? '\r' : ''}${totalsText(totals)}`)
  }
}

function countDrops(capture: LiveCapture, viewer: Viewer): void {
  capture.countDrops()
  viewer.dropped = capture.dropped
}

function open(device: NetworkInterface | typeof ANY, { isPromiscuous, snapLength }: Request): LiveCapture {
  try {
    const options = { isPromiscuous, snapLength }
    return new LiveCapture(device === ANY ? options : { ...options, interfaceIndex: device.index })
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EPERM') {
      throw new CommandError(
        'Insufficient privileges: capturing needs CAP_NET_RAW (run as root).',
        'permission',
      )
    }
    if (error instanceof SystemError) throw new CommandError(`cannot capture: ${error.message}`)
    throw error
  }
}

/** The named one; without a name the first that is up and not loopback. */
function chooseDevice(
  name: string | undefined,
  all: readonly NetworkInterface[],
): NetworkInterface | typeof ANY {
  if (name === ANY) return ANY
  const names = [...all.map((one) => one.name), ANY].join(', ')
  if (name === undefined) {
    const first = all.find(({ isUp, isLoopback }) => isUp && !isLoopback)
    if (!first) throw new CommandError(`no interface is up but loopback; choose one with -i: ${names}`)
    return first
  }
  const found = all.find((one) => one.name === name)
  if (!found) throw new CommandError(`there is no interface ${name}; there are: ${names}`)
  if (!found.isUp) throw new CommandError(`the interface ${name} is down`)
  return found
}
