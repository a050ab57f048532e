/**
 * Reads `xfrm policy add` as ip-xfrm(8) has it, and nothing else.
 *
 * @module
 */
import { parseAddress } from '../../../../agent/model/address.ts'

export interface SpokenPolicy {
  readonly selector: string
  readonly dir: string
  readonly mark: string
  readonly action: string
  readonly priority: number
  readonly index: number
  readonly templates: readonly string[]
}

const TEMPLATE =
  /^tmpl src (\S+) dst (\S+) proto (esp|ah) reqid (0x[0-9a-f]+) mode (transport|tunnel)( level use)?(?: |$)/
const POLICY =
  /^xfrm policy add (src \S+\/\d+ dst \S+\/\d+(?: dev \S+)?(?: proto \d+(?: (?:sport|type) \d+)?(?: (?:dport|code) \d+)?)?) dir (in|out|fwd)(?: mark (0x[0-9a-f]+ mask 0x[0-9a-f]+))? index (0x[0-9a-f]+) action (allow|block) priority (0x[0-9a-f]+)(?: |$)/

/** @throws Error where the line is not in the language */
export function readPolicyLine(line: string): SpokenPolicy {
  const found = POLICY.exec(line)
  if (!found) throw new Error(`not in the language: ${line}`)
  const [all, selector = '', dir = '', mark = '', index, action = '', priority] = found
  checkSelector(selector)
  const templates: string[] = []
  let rest = line.slice(all.length)
  while (rest !== '') {
    const [text, source = '', destination = '', protocol, reqid, mode, level = ''] = TEMPLATE.exec(rest) ?? []
    if (text === undefined || !parseAddress(source) || !parseAddress(destination)) throw new Error(rest)
    templates.push(`${mode} ${source} ${destination} ${protocol} ${Number(reqid)}${level}`)
    rest = rest.slice(text.length)
  }
  return { selector, dir, mark, action, priority: Number(priority), index: Number(index), templates }
}

const PORTS = [6, 17, 33, 132]
const ICMP = [1, 58]

function checkSelector(selector: string): void {
  const {
    source = '',
    destination = '',
    protocol = '',
    rest = '',
  } = /^src (?<source>\S+)\/\d+ dst (?<destination>\S+)\/\d+(?: dev \S+)?(?: proto (?<protocol>\d+)(?<rest>.*))?$/.exec(
    selector,
  )?.groups ?? {}
  if (!parseAddress(source) || parseAddress(source)?.family !== parseAddress(destination)?.family) {
    throw new Error(selector)
  }
  if (/port/.test(rest) && !PORTS.includes(Number(protocol))) throw new Error(selector)
  if (/type|code/.test(rest) && !ICMP.includes(Number(protocol))) throw new Error(selector)
}
