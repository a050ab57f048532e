import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { proposedSituation } from '../../../agent/explain/situation.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Action, Rule } from '../../../agent/model/policy.ts'
import { escapeJson, escapeXml, fitted } from '../../../agent/picture/escape.ts'
import { graphOf, MOST_LANES } from '../../../agent/picture/graph.ts'
import { bytesText, pictureReport, STYLES } from '../../../agent/picture/report.ts'
import { writePicture } from '../../../agent/picture/write-picture.ts'
import { address } from '../../support/address.ts'
import { localAddresses, rules as ruleSets } from '../translate/simulation/arbitrary.ts'
import { fitting } from '../translate/simulation/fitting.ts'

const TUNNEL = {
  name: '<b>"tun\'0&',
  ifindex: 9,
  endpoints: { local: address('198.51.100.1'), remote: address('198.51.100.2') },
  protocols: [4],
}
const network = { localAddresses, tunnels: new Map([[TUNNEL.name, TUNNEL]]), routedMarks: 0 }
const about = (title = 'host') => ({
  title,
  source: 'what is loaded',
  time: '2026-11-21 12:00',
  algorithms: defaultAlgorithmTable,
  isLoaded: true,
})

const situationOf = (rules: readonly Rule[]) =>
  fitting(() => proposedSituation({ rules, associations: [], algorithms: defaultAlgorithmTable, network }))

/** Every element is closed, and in order; attributes are quoted. Not all of XML, but all that can go wrong here. */
function isWellFormed(text: string): boolean {
  const open: string[] = []
  let at = 0
  for (const match of text.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const between = text.slice(at, match.index)
    if (between.includes('<') || /&(?!(amp|lt|gt|quot|#39);)/.test(between)) return false
    at = match.index + match[0].length
    const [, closes, name = '', , isEmpty] = match
    if (closes && open.pop() !== name) return false
    if (!closes && !isEmpty) open.push(name)
  }
  return open.length === 0 && !text.slice(at).includes('<')
}

t.test('property: the picture is well-formed, whatever the rules', async () => {
  fc.assert(
    fc.property(ruleSets, (rules) => isWellFormed(writePicture(situationOf(rules), about(), 'svg'))),
    { numRuns: 40 },
  )
})

t.test('property: every rule is in some lane, and there are not too many', async () => {
  const many = fc.array(ruleSets, { maxLength: 30 }).map((sets) => sets.flat())
  fc.assert(
    fc.property(many, (rules) => {
      const report = pictureReport(situationOf(rules), about())
      const { nodes } = graphOf(report)
      const lanes = nodes.flatMap((node) => node.lanes)
      const drawn = new Set(lanes.flatMap((lane) => lane.rules))
      if (lanes.length > MOST_LANES + STYLES.length) throw new Error(`${lanes.length} lanes`)
      return report.rules.every(({ index }) => drawn.has(index))
    }),
    { numRuns: 25 },
  )
})

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  ']]><!--',
  '&lt;b&gt; &#60;',
  '\u0000\u001b[2J\u202e\ud800\uffff',
  '{{7*7}} javascript:alert(1)',
]

t.test('texts of others are texts', async (t) => {
  const action: Action = { kind: 'drop' }
  const rules = HOSTILE.map(
    (text, i): Rule => ({
      selector: { pairs: [{ remote: { ...address(`10.0.${i}.0`), length: 24 } }] },
      direction: 'both',
      actions: [action],
      ...(i === 0 && { tunnel: { name: TUNNEL.name, mode: 'tunnel' } }),
      text: `{raddr 10.0.${i}.0/24 ${text}} drop {}`,
      file: `/etc/${text}`,
      span: { line: 1, column: 1, length: 1 },
    }),
  )
  const situation = situationOf(rules)
  for (const title of HOSTILE) {
    const svg = writePicture(situation, { ...about(title), source: title, time: title }, 'svg')
    t.ok(isWellFormed(svg))
    const html = writePicture(situation, { ...about(title), source: title, time: title }, 'html')
    const [, body = ''] = /<body>([\s\S]*)<script type="application\/json"/.exec(html) ?? []
    for (const bad of ['<img', 'onload=alert(1)>', '<script', "'alert", '</script', ']]>', '<b>', '<!--']) {
      t.notOk(body.includes(bad), bad)
    }
    t.equal(html.match(/<script/g)?.length, 2)
    t.equal(html.match(/<\/script>/g)?.length, 2)
    t.notOk(['\u202e', '\u001b', '\u0000'].some((bad) => html.includes(bad)))
  }
})

t.test('the policy of the page lets run its own script alone', async (t) => {
  const html = writePicture(situationOf([]), about(), 'html')
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(html) ?? []
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const [, script = ''] = /<script>([\s\S]*)<\/script>/.exec(html) ?? []
  const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? []
  t.match(policy, "default-src 'none'")
  t.ok(policy.includes(`script-src ${hash(script)};`))
  t.ok(policy.includes(`style-src ${hash(style)};`))
  t.notMatch(html, /unsafe-|https?:\/\/(?!www\.w3\.org)|src=|@import|url\(/, 'nothing from outside')
})

t.test('nothing loaded', async (t) => {
  const situation = situationOf([])
  t.match(writePicture(situation, about(), 'svg'), 'No rules: everything passes in clear.')
  t.match(writePicture(situation, about(), 'html'), 'None: everything passes in clear.')
})

t.test('small things', async (t) => {
  t.equal(escapeXml(`<a b="c">'&`), '&lt;a b=&quot;c&quot;&gt;&#39;&amp;')
  t.equal(escapeJson({ a: '</script>\u2028&' }), '{"a":"\\u003c/script\\u003e\\u2028\\u0026"}')
  t.same(JSON.parse(escapeJson(['<>&\u2029'])), ['<>&\u2029'])
  t.equal(fitted('short', 500, 14), 'short')
  t.equal([...fitted('😀'.repeat(100), 100, 14)].at(-1), '…')
  t.equal(bytesText(0n), '0 B')
  t.equal(bytesText(1536n), '1.5 KiB')
  t.equal(bytesText(2n ** 60n), '1048576 TiB')
})
