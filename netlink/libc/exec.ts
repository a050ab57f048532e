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
const F_DUPFD_CLOEXEC = 1030
const O_CLOEXEC = 0o2000000
/** Of the descriptors that are handed over: `SD_LISTEN_FDS_START`. */
const FIRST = 3

const c = {
  execvpe: foreign<[string, (string | null)[], (string | null)[]], number>(
    'int execvpe(const char *, const char **, const char **)',
  ),
  dup2: foreign<[number, number], number>('int dup2(int, int)'),
  dup3: foreign<[number, number, number], number>('int dup3(int, int, int)'),
  fcntl: foreign<[number, number, number], number>('int fcntl(int, int, int)'),
  signal: foreign<[number, number], number>('uintptr_t signal(int, uintptr_t)'),
}

/**
 * Runs a program in place of this one, found in `PATH` where its name has no slash. Of the descriptors it gets 0, 1, 2
 * and, as 3, `inherited`; all others of ours are close-on-exec.
 *
 * @throws SystemError where there is no such program, or it cannot be run
 */
export function replaceProcess(
  program: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  inherited: number,
): never {
  // Node ignores these, and what is ignored stays so.
  for (const one of ['SIGPIPE', 'SIGXFSZ'] as const) c.signal(constants.signals[one], SIG_DFL)
  // It may be one that Node itself needs, should the program not be there.
  const saved = c.fcntl(FIRST, F_DUPFD_CLOEXEC, FIRST)
  if (c.dup2(inherited, FIRST) < 0) throw new SystemError('dup2', lastErrno())
  // Node makes all that it finds open close-on-exec, these included.
  for (const fd of [0, 1, 2, FIRST]) c.fcntl(fd, F_SETFD, 0)
  const settings = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  c.execvpe(program, [...argv, null], [...settings, null])
  const errno = lastErrno()
  if (saved >= 0) c.dup3(saved, FIRST, O_CLOEXEC)
  throw new SystemError('execvpe', errno)
}
