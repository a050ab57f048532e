/**
 * Proof against an independent implementation: what our codec makes of a message equals, byte for byte, what
 * iproute2 sends for the command that means the same.
 */
import t from 'tap'
import { describeOffset, encodeDump, encodeMessage, messageType } from '../../../netlink/xfrm/messages.ts'
import type { Command } from './command.ts'
import { capture, type Sent, whyNot } from './iproute2.ts'
import { policyCommands } from './policy-commands.ts'
import { stateCommands } from './state-commands.ts'

const commands: readonly Command[] = [...stateCommands, ...policyCommands]

function encoded(command: Command): Sent[] {
  return command.sends.map((message) =>
    'dump' in message
      ? { type: messageType(message.dump), payload: encodeDump(message.dump, message.attributes) }
      : { type: messageType(message.name), payload: encodeMessage(message) },
  )
}

const hex = ({ payload }: Sent) => Buffer.from(payload).toString('hex')

/** Names of the places at which two payloads part, for whoever has to find out why. */
function places(ours: Sent, theirs: Sent): string {
  const differing = [...ours.payload.keys()].filter((at) => ours.payload[at] !== theirs.payload[at])
  const names = differing.map((at) => describeOffset(ours.type, ours.payload, at + 16))
  return [...new Set(names)].join(', ')
}

t.test('our bytes are those of iproute2', { skip: whyNot() ?? false }, async (t) => {
  t.ok(commands.length >= 60, `${commands.length} command lines`)
  const sent = capture(commands)
  for (const [i, command] of commands.entries()) {
    t.test(command.line, async (t) => {
      const theirs = sent[i] ?? []
      const ours = encoded(command)
      t.same(
        theirs.map(({ type }) => type),
        ours.map(({ type }) => type),
        'the same messages',
      )
      let different = 0
      for (const [j, message] of ours.entries()) {
        const other = theirs[j]
        if (other === undefined) continue
        if (hex(message) === hex(other)) continue
        different++
        const expected = command.differs?.theirs(message.payload, other.payload) ?? message.payload
        t.equal(
          hex(other),
          Buffer.from(expected).toString('hex'),
          command.differs?.why ?? places(message, other),
        )
      }
      t.equal(different, command.differs ? 1 : 0, 'and no byte differs that is not explained')
    })
  }
})
