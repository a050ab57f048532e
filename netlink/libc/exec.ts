/**
 * One program in place of another, in the same process: execve(2) and what has to be put in order before it.
 *
 * @module
 */
import { constants } from 'node:os'
import { SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'

const SIG_DFL = 0
const F_SETFD = 2

const c = {
  execvpe: foreign<[string, (string | null)[], (string | null)[]], number>(
    'int execvpe(const char *, const char **, const char **)',
  ),
  dup2: foreign<[number, number], number>('int dup2(int, int)'),
  fcntl: foreign<[number, number, number], number>('int fcntl(int, int, int)'),
  signal: foreign<[number, number], number>('uintptr_t signal(int, uintptr_t)'),
}

/**
 * Runs a program in place of this one, found in `PATH` where its name has no slash. Of the descriptors it gets 0, 1, 2
 * and, as 3, `inherited`; all others of ours are close-on-exec.
 *
 * @throws SystemError where there is no such program, or it cannot be run. The process should end then: its own
 *   descriptor 3 is lost
 */
export function replaceProcess(
  program: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  inherited: number,
): never {
  // Node ignores it, and who is ignored stays so.
  c.signal(constants.signals.SIGPIPE, SIG_DFL)
  place(inherited, 3)
  const settings = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  c.execvpe(program, [...argv, null], [...settings, null])
  throw new SystemError('execvpe', lastErrno())
}

function place(fd: number, wanted: number): void {
  const result = fd === wanted ? c.fcntl(fd, F_SETFD, 0) : c.dup2(fd, wanted)
  if (result < 0) throw new SystemError('dup2', lastErrno())
}
