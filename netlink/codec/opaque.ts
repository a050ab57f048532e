const inspect = Symbol.for('nodejs.util.inspect.custom')

/**
 * Bytes that are not to be shown: keys, and attributes of which nobody knows what they hold. They are an
 * ordinary `Uint8Array` for whoever computes with them, but `util.inspect`, `JSON.stringify` and string
 * conversion give their length only.
 */
export class OpaqueBytes extends Uint8Array {
  override toString(): string {
    return `<${this.length} bytes>`
  }

  override toLocaleString(): string {
    return this.toString()
  }

  override join(): string {
    return this.toString()
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect](): string {
    return this.toString()
  }
}

/**
 * A copy of the bytes that does not print them. Who wipes it wipes all there is of it: small arrays usually lie in the
 * garbage collector's own heap, and leave traces where they were before they moved.
 */
export function opaque(bytes: Uint8Array): OpaqueBytes {
  const copy = new OpaqueBytes(new ArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
