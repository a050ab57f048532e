/**
 * Where iproute2 6.1 sends other bytes than solipsec, and why. Everything else is equal byte for byte.
 *
 * @module
 */
/** One kind of difference. */
export interface Difference {
  readonly why: string
  /** Turns a payload of ours into that of iproute2; bytes that are mere chance come from the captured one. */
  theirs(ours: Uint8Array, captured: Uint8Array): Uint8Array
}

const lifetimeInState = { start: 96, end: 160 }
const seqInState = 204
const markAfterPolicyId = 64

/** A body whose length is not a multiple of 4. */
export const unpadded = (size: number): Difference => ({
  why: 'iproute2 ends the message with the last byte of the body; we pad to 4, as the kernel does in its own',
  theirs: (ours) => ours.subarray(0, size),
})

/** The sequence number of an SA (`seq` of `xfrm_usersa_info`). */
export const seqBigEndian: Difference = {
  why: 'iproute2 writes seq in big endian; the kernel compares it with the number of its acquire, in host order',
  theirs(ours) {
    const theirs = ours.slice()
    theirs.subarray(seqInState, seqInState + 4).reverse()
    return theirs
  },
}

/** The lifetimes in ALLOCSPI (`info.lft` of `xfrm_userspi_info`). */
export const zeroLifetime: Difference = {
  why: 'iproute2 leaves the lifetimes of a larval SA at zero, ours have no end; the kernel does not read them',
  theirs: (ours) => ours.slice().fill(0, lifetimeInState.start, lifetimeInState.end),
}

/** The mark in the requests of `policy deleteall`. */
export const longMark: Difference = {
  why: 'iproute2 copies the mark of a dumped policy with the length of its attribute, header included: 4 bytes too many, of whatever lies behind it in its buffer; the kernel overlooks them',
  theirs: (ours, captured) =>
    Uint8Array.from([
      ...ours.subarray(0, markAfterPolicyId),
      ...[16, 0, 21, 0],
      ...ours.subarray(markAfterPolicyId + 4, markAfterPolicyId + 12),
      ...captured.subarray(-4),
    ]),
}
