/**
 * A filter that the kernel runs on each packet of a packet socket: classic BPF.
 *
 * @module
 */
import { littleEndian } from '../../netlink/codec/memory.ts'
import { allocateArena } from '../../netlink/libc/arena.ts'
import * as libc from '../../netlink/libc/socket.ts'

// asm-generic/socket.h
const SO_ATTACH_FILTER = 26
// linux/filter.h: instructions of classic BPF, and where it finds the packet's interface
const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const RETURN = 0x06
const INTERFACE_INDEX = 0xfffff008
const WHOLE_PACKET = 0xffff_ffff
const INSTRUCTION = 8
/** Two instructions for each, and the kernel takes 4096. */
const MOST_INTERFACES = 2000

/**
 * Makes the kernel drop packets of all other interfaces, before they take room or time of ours.
 *
 * @param fd a packet socket; an earlier filter of it is replaced
 * @param interfaces their indexes
 * @throws SystemError
 */
export function attachFilter(fd: number, interfaces: readonly number[]): void {
  const indexes = interfaces.slice(0, MOST_INTERFACES)
  const program: (readonly [code: number, otherwise: number, value: number])[] = [
    [LOAD_WORD, 0, INTERFACE_INDEX],
    ...indexes.flatMap((index) => [[JUMP_IF_EQUAL, 1, index] as const, [RETURN, 0, WHOLE_PACKET] as const]),
    [RETURN, 0, 0],
  ]
  const arena = allocateArena(program.length * INSTRUCTION)
  for (const [n, [code, otherwise, value]] of program.entries()) {
    const at = n * INSTRUCTION
    arena.view.setUint16(at, code, littleEndian)
    arena.bytes[at + 3] = otherwise
    arena.view.setUint32(at + 4, value, littleEndian)
  }
  // struct sock_fprog: a count, and the address of the instructions
  const header = new Uint8Array(16)
  const view = new DataView(header.buffer)
  view.setUint16(0, program.length, littleEndian)
  view.setBigUint64(8, BigInt(arena.address), littleEndian)
  libc.setSockOpt(fd, libc.SOL_SOCKET, SO_ATTACH_FILTER, header)
}
