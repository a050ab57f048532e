import t from 'tap'
import { greLength } from '../../../agent/packet/gre.ts'
import { hex } from './packets.ts'

const length = (digits: string) => greLength(hex(digits), 0, hex(digits).length)

t.test('the length of the header depends on its flags', async (t) => {
  t.equal(length('00000800'), 4)
  t.equal(length('000086dd 45'), 4)
  t.equal(length('20000800 00000001'), 8, 'a key')
  t.equal(length('b0000800 00000000 00000001 00000002'), 16, 'checksum, key and sequence number')
})

t.test('what carries no IP packet is refused', async (t) => {
  for (const digits of [
    '000008',
    '00016558',
    '00010800',
    '40000800',
    '00006558',
    '20000800 000000',
    '00000806',
  ])
    t.equal(length(digits), -1, digits)
})
