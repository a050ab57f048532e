/**
 * Socket policies of a JSON document. What they ask for is checked as the action of a rule.
 *
 * @module
 */
import type { SocketPolicy } from '../../../agent/model/socket-policy.ts'
import { isUnitName } from '../../../agent/model/unit.ts'
import type { SocketPolicy as Section } from '../../../schemas/generated/configuration.ts'
import { Context } from '../../solaris/ipsecconf/check/context.ts'
import { checkRule } from '../../solaris/ipsecconf/check/rule.ts'
import type { PolicyEnvironment } from '../../solaris/ipsecconf/index.ts'
import type { JsonDocument } from '../document.ts'
import { nodeAt } from '../json/tree.ts'
import type { Flaws } from '../validate.ts'
import { ruleSyntax } from './policies.ts'

/** The socket policies that are right; everything else is reported. */
export function readSockets(
  document: JsonDocument,
  sockets: readonly Section[],
  flaws: Flaws,
  environment: PolicyEnvironment,
): SocketPolicy[] {
  const context = new Context(document.report, environment)
  const first = new Map<string, number>()
  return sockets.flatMap((socket, index) => {
    const path = ['sockets', String(index)]
    const node = nodeAt(document.root, path)?.value
    if (node?.kind !== 'object' || flaws.within(`/sockets/${index}`)) return []
    const { service, selfEncapsulation = false } = socket
    const earlier = first.get(service)
    if (earlier === undefined) first.set(service, document.at([...path, 'service']).line)
    else document.error([...path, 'service'], `Duplicate service: line ${earlier} has it already`)
    if (!isUnitName(service)) {
      const hint = 'The full name has its kind: postgresql.service.'
      document.warning([...path, 'service'], 'No program belongs to a unit of this name', { hint })
    }
    const syntax = ruleSyntax(document, node)
    // A socket has both directions; a rule without one would be asked for it.
    const word = document.token(node, 'both')
    const both = { field: 'direction', style: undefined, keyword: word, value: word } as const
    const [action] = checkRule({ ...syntax, pattern: [both] }, context)?.actions ?? []
    if (!action || action.kind === 'drop' || earlier !== undefined) return []
    if (selfEncapsulation && action.kind === 'bypass') {
      document.error([...path, 'selfEncapsulation'], 'What passes in clear cannot be in a tunnel')
      return []
    }
    return [{ service, action, selfEncapsulation }]
  })
}
