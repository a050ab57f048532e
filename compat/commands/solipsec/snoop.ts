/**
 * `solipsec snoop`: shows packets as Solaris's snoop does, with AH and ESP opened.
 *
 * @module
 */
import { closeSync, statSync, writeSync } from 'node:fs'
import type { KeyRing } from '../../../agent/capture/key-ring.ts'
import { wiresharkTable } from '../../../agent/capture/wireshark.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { type Filter, FilterError, parseFilter } from '../../solaris/snoop/filter/index.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { report } from '../support/report.ts'
import { createSecret, writeKeys } from '../support/secret-file.ts'
import { interpret, optionTable, type Request } from './snoop/arguments.ts'
import { viewFile } from './snoop/from-file.ts'
import { viewNetwork } from './snoop/from-network.ts'
import { rememberedNames } from './snoop/host-names.ts'
import { keyRing } from './snoop/keys.ts'
import { Viewer } from './snoop/viewer.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec snoop', options: optionTable, interpret, carryOut })

async function carryOut(request: Request, io: Io): Promise<void> {
  const filter = await filterOf(request, io)
  refuseSameFile(request)
  const ring = await keyRing(request, io)
  try {
    const written = writeTable(ring, request, io)
    if (request.input.kind === 'none') return
    await view(ring, filter, request, io)
    // SAs that came meanwhile.
    if (ring && ring.size !== written) writeTable(ring, request, io)
  } finally {
    ring?.destroy()
  }
}

async function filterOf({ expression, numeric }: Request, io: Io): Promise<Filter> {
  try {
    return parseFilter(expression, numeric ? undefined : systemResolver)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    await report([error.diagnostic], io)
    throw new CommandError('the filter expression is wrong')
  }
}

/** Writing to the file that is read would destroy it. */
function refuseSameFile({ input, output, wireshark }: Request): void {
  const read = input.kind === 'file' ? statSync(input.file, { throwIfNoEntry: false }) : undefined
  for (const file of [output, wireshark]) {
    const there = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
    if (read && there && read.dev === there.dev && read.ino === there.ino) {
      throw new CommandError(`${file} is the file that is read`)
    }
  }
  if (output !== undefined && output === wireshark) throw new CommandError(`${output} cannot be both files`)
}

/** @returns how many SAs the ring has */
function writeTable(ring: KeyRing | undefined, { wireshark }: Request, io: Io): number {
  if (!ring) return 0
  if (wireshark !== undefined) {
    const { text, leftOut } = wiresharkTable(ring.all())
    writeKeys(wireshark, text)
    if (leftOut > 0) {
      io.stderr.write(
        `NOTE: ${leftOut} SAs are not in ${wireshark}: Wireshark does not decrypt their algorithms\n`,
      )
    }
  }
  return ring.size
}

async function view(ring: KeyRing | undefined, filter: Filter, request: Request, io: Io): Promise<void> {
  const { input, output, numeric } = request
  const fd = output === undefined ? undefined : createSecret(output)
  const slow = () => io.stderr.write('NOTE: the name service is slow; addresses are shown from now on (-n)\n')
  const viewer = new Viewer({
    request,
    ring,
    filter,
    names: numeric ? {} : rememberedNames(systemResolver, slow),
    stdout: io.stdout,
    write: fd === undefined ? undefined : (bytes) => writeAll(fd, bytes),
  })
  try {
    if (input.kind === 'file') await viewFile(input.file, viewer, request, io)
    else if (input.kind === 'live') await viewNetwork(input.device, viewer, request, io)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}
