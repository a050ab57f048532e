import t from 'tap'
import { parseAddress } from '../../../agent/model/address.ts'
import { socketPolicyBytes } from '../../../agent/sockets/kernel-socket.ts'
import { memoryOf } from '../../../netlink/codec/memory.ts'
import { dir } from '../../../netlink/xfrm/constants.ts'
import { user_tmpl, userpolicy_info } from '../../../netlink/xfrm/structs.ts'

function read(bytes: Uint8Array) {
  const memory = memoryOf(bytes)
  const count = (bytes.length - userpolicy_info.size) / user_tmpl.size
  return {
    info: userpolicy_info.get(memory, 0),
    templates: Array.from({ length: count }, (_, i) =>
      user_tmpl.get(memory, userpolicy_info.size + i * user_tmpl.size),
    ),
  }
}

t.test('in clear: a policy without templates', async (t) => {
  const { info, templates } = read(socketPolicyBytes(dir.OUT, { family: 'inet6', reqids: {} }))
  t.same(templates, [])
  t.match(info, { dir: 1, action: 0, sel: { family: 10, prefixlen_s: 0, prefixlen_d: 0, proto: 0 } })
})

t.test('ESP, then AH around it', async (t) => {
  const { templates } = read(socketPolicyBytes(dir.IN, { family: 'inet', reqids: { esp: 7, ah: 8 } }))
  t.match(templates, [
    { id: { proto: 50 }, reqid: 7, mode: 0, optional: 0 },
    { id: { proto: 51 }, reqid: 8, mode: 0, optional: 0 },
  ])
})

t.test('self-encapsulation: a tunnel between the ends, as packets of the direction bear them', async (t) => {
  const [local, remote] = [parseAddress('192.0.2.1'), parseAddress('192.0.2.2')]
  if (!local || !remote) return t.fail()
  const terms = { family: 'inet', reqids: { esp: 7 }, tunnel: { local, remote } } as const
  const ends = (direction: 0 | 1) =>
    read(socketPolicyBytes(direction, terms)).templates.map(({ mode, saddr, id }) => [
      mode,
      saddr[3],
      id.daddr[3],
    ])
  t.same([ends(dir.OUT), ends(dir.IN)], [[[1, 1, 2]], [[1, 2, 1]]])
})
