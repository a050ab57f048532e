/**
 * The system's clock: adjtimex(2), read only.
 *
 * @module
 */
import { SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'

const adjtimex = foreign<[Uint8Array], number>('int adjtimex(void *)')

/** `struct timex` has 208 bytes where a long has 8; `status` is the sixth field. */
const TIMEX_SIZE = 208
const STATUS = 40
const STA_UNSYNC = 0x40

/** True where something keeps the clock by another one (NTP, PTP, a hypervisor's driver). @throws SystemError */
export function isClockSynchronised(): boolean {
  const timex = new Uint8Array(TIMEX_SIZE)
  if (adjtimex(timex) < 0) throw new SystemError('adjtimex', lastErrno())
  return (new DataView(timex.buffer).getInt32(STATUS, true) & STA_UNSYNC) === 0
}
