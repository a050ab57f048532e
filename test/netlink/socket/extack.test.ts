import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { answerError, type Dialect, formatAnswer, parseAnswer } from '../../../netlink/socket/extack.ts'
import { formatMessage, parseMessages } from '../../../netlink/socket/message.ts'
import { xfrmDialect } from '../../../netlink/xfrm/dialect.ts'

function only(hex: string) {
  const [message] = parseMessages(new Uint8Array(Buffer.from(hex, 'hex')))
  if (!message) throw new Error('no message')
  return message
}

// Answers of Linux 6.18, with EXT_ACK and CAP_ACK on.
const captured = {
  success: '240000000200000107000000f47b000000000000100000001d0005000700000000000000',
  direction:
    '440000000200000307000000f47b0000eaffffffb80000001300050007000000000000001d000100' +
    '496e76616c696420706f6c69637920646972656374696f6e00000000',
  mark:
    '540000000200000307000000f47b0000deffffffc00000001300050007000000000000002700010041747472696275746520' +
    '6661696c656420706f6c6963792076616c69646174696f6e000008000200b8000000',
  noEsp:
    '440000000200000307000000f47b0000a3ffffff380100001000050007000000000000001d000100' +
    '5265717565737465642074797065206e6f7420666f756e6400000000',
  done: '140000000300020007000000f47b000000000000',
}

t.test("answers that are given are read again, and look as a kernel's do", async (t) => {
  const flags = 5
  const payload = new Uint8Array(0)
  const request = only(Buffer.from(formatMessage({ type: 29, flags, payload }, 7, 31732)).toString('hex'))
  const given = (answer: { errno: number; extack?: string }) =>
    Buffer.from(formatAnswer(request, answer)).toString('hex')
  // The kernel leaves the port out of the header that it echoes.
  const echoed = captured.success.slice(0, -8) + captured.success.slice(24, 32)
  t.equal(given({ errno: 0 }), echoed)
  for (const answer of [{ errno: 22, extack: 'Invalid policy direction' }, { errno: 3 }]) {
    t.strictSame(parseAnswer(only(given(answer))), answer)
  }
})

t.test('answers of a kernel', async (t) => {
  t.strictSame(parseAnswer(only(captured.success)), { errno: 0 })
  t.strictSame(parseAnswer(only(captured.direction)), { errno: 22, extack: 'Invalid policy direction' })
  t.strictSame(parseAnswer(only(captured.mark)), {
    errno: 34,
    extack: 'Attribute failed policy validation',
    offset: 184,
  })
  t.strictSame(parseAnswer(only(captured.done)), { errno: 0 })
})

t.test('an answer that echoes the whole request', async (t) => {
  // Not capped: 8 bytes of request payload stand between the header and the attributes.
  const echo = Buffer.from('1800000013000500070000000000000001020304ffffffff', 'hex')
  const attributes = Buffer.from('0800010068690000' + '0800050015000000' + '0800060040000000', 'hex')
  const payload = Buffer.concat([Buffer.from('eaffffff', 'hex'), echo, attributes])
  const answer = parseAnswer({ type: 2, flags: 0x200, sequence: 7, portId: 1, payload })
  t.strictSame(answer, { errno: 22, extack: 'hi', missingType: 21, missingNest: 64 })
})

t.test('the end of a dump may carry an error and its text', async (t) => {
  const payload = Buffer.from('fcffffff' + '0700010068690000', 'hex')
  const answer = parseAnswer({ type: 3, flags: 0x202, sequence: 7, portId: 1, payload })
  t.strictSame(answer, { errno: 4, extack: 'hi' })
  const bare = { type: 3, flags: 2, sequence: 7, portId: 1, payload: new Uint8Array(0) }
  t.strictSame(parseAnswer(bare), { errno: 0 }, 'nor need it carry anything')
})

t.test('a broken tail costs the text, never the number', async (t) => {
  const whole = only(captured.mark)
  for (let length = 4; length < whole.payload.length; length++) {
    t.equal(parseAnswer({ ...whole, payload: whole.payload.subarray(0, length) }).errno, 34)
  }
  t.throws(() => parseAnswer({ ...whole, payload: whole.payload.subarray(0, 3) }), {
    code: 'ERR_NETLINK_MALFORMED',
  })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 80 }), fc.nat(0xffff), (payload, flags) => {
      const { errno } = parseAnswer({ type: 2, flags, sequence: 1, portId: 1, payload })
      return errno >= 0 && errno <= 2 ** 31
    }),
  )
})

t.test('an error says everything, stably, and nothing of the payload', async (t) => {
  const secret = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
  const request = formatMessage({ type: 16, payload: secret }, 7)
  const error = answerError(parseAnswer(only(captured.mark)), 16, request, {}, { sequence: 7, index: 3 })
  t.ok(error instanceof NetlinkError)
  t.match(error, {
    code: 'ERR_NETLINK_ERANGE',
    errno: 34,
    errnoName: 'ERANGE',
    extack: 'Attribute failed policy validation',
    offset: 184,
    sequence: 7,
    index: 3,
    operation: 'netlink message 16',
  })
  t.match(error.message, /^netlink message 16 \[3\]: ERANGE \(.*\): Attribute failed .* at offset 184$/)
  t.notMatch(`${inspect(error, { depth: 9 })}${error.stack}`, /01, ?2, ?3|010203/)
  const eperm = answerError({ errno: 1 }, 16, request, {}, { sequence: 7 })
  t.match(eperm, { code: 'ERR_NETLINK_EPERM', hint: /CAP_NET_ADMIN/ })
})

t.test('a dialect names message, field and missing attribute, and classifies', async (t) => {
  const dialect: Dialect = {
    messageName: () => 'XFRM_MSG_TEST',
    fieldName: (_type, message, offset) => `byte ${offset} of ${message.length}`,
    attributeName: (_type, attribute) => `XFRMA_${attribute}`,
    classify: (_type, { errno }) => ({ code: `ERR_TEST_${errno}`, hint: 'try something else' }),
  }
  const request = formatMessage({ type: 16, payload: new Uint8Array(8) })
  const answer = { errno: 22, offset: 20, missingType: 5 }
  const error = answerError(answer, 16, request, dialect, { sequence: 1 })
  t.match(error, { code: 'ERR_TEST_22', hint: 'try something else', field: 'byte 20 of 24', missingType: 5 })
  t.match(error.message, /^XFRM_MSG_TEST: EINVAL .*: at byte 20 of 24: missing attribute XFRMA_5$/)
  const nested = answerError({ ...answer, missingNest: 40 }, 16, request, dialect, { sequence: 1 })
  t.match(nested.message, /missing attribute 5$/, 'inside a nest, numbers mean something else')
})

t.test('the dialect of XFRM', async (t) => {
  const add = (proto: number) => {
    const payload = new Uint8Array(224)
    payload[76] = proto
    return formatMessage({ type: 16, payload })
  }
  const noType = parseAnswer(only(captured.noEsp))
  for (const [proto, code] of [
    [50, 'ERR_XFRM_NO_ESP'],
    [51, 'ERR_XFRM_NO_AH'],
    [108, 'ERR_XFRM_NO_IPCOMP'],
  ] as const) {
    const error = answerError(noType, 16, add(proto), xfrmDialect, { sequence: 1 })
    t.match(error, { code, operation: 'XFRM_MSG_NEWSA', hint: /module/ })
  }
  const mode = { errno: 93, extack: 'Requested mode not found' }
  t.match(answerError(mode, 16, add(50), xfrmDialect, { sequence: 1 }), {
    code: 'ERR_NETLINK_EPROTONOSUPPORT',
  })
  t.match(answerError({ errno: 38 }, 16, add(50), xfrmDialect, { sequence: 1 }), {
    code: 'ERR_XFRM_NO_ALGORITHM',
  })
  t.match(answerError({ errno: 17 }, 16, add(50), xfrmDialect, { sequence: 1 }), {
    hint: /SA .* there already/,
  })
  t.match(answerError({ errno: 2 }, 20, add(50), xfrmDialect, { sequence: 1 }), { hint: /no such policy/ })
  t.match(answerError({ errno: 22, missingType: 33 }, 16, add(50), xfrmDialect, { sequence: 1 }), {
    message: /missing attribute XFRMA_SA_DIR/,
  })
})
