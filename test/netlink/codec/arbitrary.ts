/**
 * Random values of whatever a description describes, made from the description itself.
 *
 * @module
 */
import fc from 'fast-check'
import type { AttributeSet, Definitions } from '../../../netlink/codec/attributes.ts'
import type { Field } from '../../../netlink/codec/field.ts'
import type { Exactly, Flexible, ListOf, Payload } from '../../../netlink/codec/payload.ts'
import type { Placed, Struct } from '../../../netlink/codec/struct.ts'

const numbers: Record<string, fc.Arbitrary<unknown>> = {
  u8: fc.nat(0xff),
  u16: fc.nat(0xffff),
  be16: fc.nat(0xffff),
  u32: fc.nat(0xffff_ffff),
  be32: fc.nat(0xffff_ffff),
  s32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  u64: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
}

const latin1 = (maxLength: number) =>
  fc
    .array(fc.integer({ min: 1, max: 255 }), { maxLength })
    .map((codes) => codes.map((code) => String.fromCharCode(code)).join(''))

/** Any value of a field. */
export function ofField(field: Field<unknown>): fc.Arbitrary<unknown> {
  if ('members' in field) return ofStruct(field as Struct<unknown>)
  const number = numbers[field.kind]
  if (number !== undefined) return number
  if (field.kind.startsWith('char[')) return latin1(field.size)
  return fc.uint8Array({ minLength: field.size, maxLength: field.size })
}

/** Any value of a struct. */
export function ofStruct(struct: Struct<unknown>): fc.Arbitrary<Record<string, unknown>> {
  const member = ({ name, field }: Placed) => [name, ofField(field)] as const
  return fc.record(Object.fromEntries(struct.members.map(member)))
}

function ofFlexible(payload: Flexible<unknown, string, unknown>): fc.Arbitrary<unknown> {
  const { head, tailName, tail, counter, units } = payload
  return fc.tuple(ofStruct(head), fc.nat(64)).chain(([value, counted]) => {
    const length = units(counted as never)
    const word = fc.nat(0xffff_ffff)
    const content =
      tail.unit === 1
        ? fc.uint8Array({ minLength: length, maxLength: length })
        : fc.array(word, { minLength: length, maxLength: length })
    return content.map((end) => ({ ...value, [counter]: counted, [tailName]: end }))
  })
}

/** Any value of an attribute's payload. */
export function ofPayload(payload: Payload<unknown>): fc.Arbitrary<unknown> {
  if ('field' in payload) return ofField((payload as Exactly<unknown>).field)
  if ('element' in payload) return fc.array(ofField((payload as ListOf<unknown>).element), { maxLength: 3 })
  if ('head' in payload) return ofFlexible(payload as Flexible<unknown, string, unknown>)
  if ('definitions' in payload) return ofAttributes(payload as unknown as AttributeSet)
  // Told apart by what they make of nothing: a flag, text, or bytes.
  if (payload.sizeOf('' as never) === 1) return latin1(12)
  const empty = payload.get({ bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) }, 0, 0)
  return empty === true ? fc.constant(true) : fc.uint8Array({ maxLength: 20 })
}

/** Any value of a set: some of its attributes in any order, and some that it does not know. */
export function ofAttributes(set: AttributeSet<Definitions>): fc.Arbitrary<Record<string, unknown>> {
  const keys = Object.keys(set.definitions)
  return fc.subarray(keys, { maxLength: Math.min(6, keys.length) }).chain((chosen) => {
    const entry = (key: string) => {
      const payload = set.definitions[key]?.[1]
      return (payload === undefined ? fc.constant(undefined) : ofPayload(payload)).map(
        (value) => [key, value] as const,
      )
    }
    const raw = fc.record({
      type: fc.integer({ min: 200, max: 0x7fff }),
      bytes: fc.uint8Array({ maxLength: 9 }),
    })
    const known = fc.tuple(...chosen.map(entry)).chain((entries) => {
      return fc.shuffledSubarray(entries, { minLength: entries.length })
    })
    return fc.tuple(known, fc.array(raw, { maxLength: 2 })).map(([entries, raws]) => {
      const values: Record<string, unknown> = Object.fromEntries(entries)
      // At the end, where `unknown` without an index goes.
      if (raws.length > 0) {
        values.unknown = raws.map((one, i) => ({ ...one, index: entries.length + i }))
      }
      return values
    })
  })
}
