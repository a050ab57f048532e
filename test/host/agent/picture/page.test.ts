/** The page of `solipsec picture` in a real browser. */
import fc from 'fast-check'
import t from 'tap'
import { explainPacket } from '../../../../agent/explain/explain.ts'
import { hasPorts, isIcmp, type Packet, type Passage } from '../../../../agent/explain/packet.ts'
import { proposedSituation } from '../../../../agent/explain/situation.ts'
import { formatAddress } from '../../../../agent/model/address.ts'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import { pictureReport } from '../../../../agent/picture/report.ts'
import { writePicture } from '../../../../agent/picture/write-picture.ts'
import {
  localAddresses,
  packet as packets,
  rules as ruleSets,
} from '../../../agent/translate/simulation/arbitrary.ts'
import { address } from '../../../support/address.ts'
import { Page } from '../../../support/browser.ts'

t.setTimeout(180_000)
const page = await Page.open(t)
const tunnel = {
  name: 'tun0',
  ifindex: 9,
  endpoints: { local: address('198.51.100.1'), remote: address('198.51.100.2') },
  protocols: [4],
}
const network = { localAddresses, tunnels: new Map([['tun0', tunnel]]), routedMarks: 0 }
const about = {
  title: 'gateway',
  source: 'what is loaded',
  time: '2026-11-21 12:00',
  algorithms: defaultAlgorithmTable,
  isLoaded: true,
}

function situationOf(rules: readonly Rule[]) {
  return proposedSituation({ rules, associations: [], algorithms: defaultAlgorithmTable, network })
}

function rule(remote: string, length: number, more: Partial<Rule> = {}, selector: object = {}): Rule {
  return {
    selector: { pairs: [{ remote: { ...address(remote), length } }], ...selector },
    direction: 'both',
    actions: [
      {
        kind: 'protect',
        protection: {
          esp: { encryption: { algorithm: 12, minBits: 256, maxBits: 256 } },
          unique: false,
        },
      },
    ],
    text: `{raddr ${remote}/${length}} ipsec {…}`,
    file: '/etc/inet/ipsecinit.conf',
    span: { line: 1, column: 1, length: 1 },
    ...more,
  }
}

const RULES = [
  rule('10.1.0.0', 16),
  rule('10.1.0.1', 32, { actions: [{ kind: 'bypass' }] }, { protocol: 6, localPort: 22 }),
  rule('10.2.0.0', 16, { actions: [{ kind: 'drop' }] }),
  rule('10.9.0.0', 16, { tunnel: { name: 'tun0', mode: 'tunnel' } }),
]

const set = (values: Readonly<Record<string, string | number>>) => `{
  const fields = document.getElementById('question').elements
  for (const [name, value] of Object.entries(${JSON.stringify(values)})) fields[name].value = String(value)
  document.getElementById('question').dispatchEvent(new Event('input', { bubbles: true }))
}`
const answer = () => page.evaluate<string>(`document.getElementById('answer').innerText`)

t.test('it works by itself, and complains about nothing', async (t) => {
  await page.show(writePicture(situationOf(RULES), about, 'html'))
  t.same(page.complaints, [])
  t.equal(page.requests.length, 1, 'nothing but itself was asked for')
  t.match(await answer(), /by rule \d+/)
  t.equal(await page.evaluate('document.title'), 'gateway – IPsec')
})

t.test('the question is answered', async (t) => {
  const ask = async (values: Readonly<Record<string, string | number>>) => {
    await page.evaluate(set(values))
    return answer()
  }
  const base = {
    way: 'out',
    local: '10.0.0.1',
    remote: '10.1.0.1',
    protocol: 6,
    localPort: 22,
    remotePort: 1,
  }
  t.match(await ask(base), /^pass in clear, by rule 4/)
  t.match(await ask({ ...base, localPort: 23 }), /^ESP aes-cbc\(256\), by rule 2\n+1 rule is asked before it/)
  t.match(await ask({ ...base, remote: '10.2.0.9' }), /^Dropped, by rule 6/)
  t.match(await ask({ ...base, remote: '10.3.0.9' }), /No rule is about this packet/)
  t.match(await ask({ ...base, remote: '10.9.0.9', tunnel: 'tun0' }), /by rule 8/)
  t.match(await ask({ ...base, remote: '10.8.0.9', tunnel: 'tun0' }), /^Dropped\n+The tunnel has rules/)
  t.match(await ask({ ...base, remote: '10.0.1.1', tunnel: '' }), /never protected/)
  t.match(await ask({ ...base, protocol: 17, localPort: 500 }), /key management/)
  t.match(await ask({ ...base, remote: 'x' }), /Two addresses are needed/)
  t.equal(await page.evaluate(`document.querySelector('[name=remote]').getAttribute('aria-invalid')`), 'true')
  t.match(await ask({ ...base, remote: '2001:db8::1' }), /different families/)
  await ask({ ...base, localPort: 23 })
  t.match(
    await page.evaluate(`document.querySelector('tr.wins').innerText`),
    /^2\s+ESP aes-cbc\(256\)\s+no SA/,
  )
  t.notOk(await page.evaluate(`document.querySelector('.icmp').checkVisibility()`), 'no type without ICMP')
})

t.test('it decides as explain does', async (t) => {
  const cases = fc.sample(fc.tuple(ruleSets, fc.array(packets, { minLength: 40, maxLength: 40 })), {
    numRuns: 4,
    seed: 20261121,
  })
  for (const [rules, all] of cases) {
    const situation = situationOf(rules)
    await page.show(writePicture(situation, about, 'html'))
    const report = pictureReport(situation, about)
    for (const [i, packet] of all.entries()) {
      const passage: Passage = { way: i % 2 === 0 ? 'out' : 'in', isForwarded: false, ifindex: 0 }
      await page.evaluate(set(fieldsOf(packet, passage)))
      const found = JSON.parse(await page.evaluate(`document.getElementById('answer').dataset.decision`))
      const { decider } = explainPacket(packet, passage, situation).rules
      const index = decider.kind === 'rule' ? decider.candidate.index : undefined
      const exception = decider.kind === 'exception' ? decider.exception : ''
      if (report.rules[found.rule]?.index !== index || found.exception !== exception) {
        t.fail('another decision', { found, index, exception })
      }
    }
    t.same(page.complaints, [])
  }
})

function fieldsOf(packet: Packet, { way }: Passage) {
  const { protocol, localPort, remotePort, type, code } = packet
  const listed = [6, 17, 1, 58, 132, 47, 4, 41].includes(protocol)
  return {
    way,
    local: formatAddress(packet.local),
    remote: formatAddress(packet.remote),
    protocol: listed ? protocol : '',
    other: protocol,
    ...(hasPorts(protocol) && { localPort, remotePort }),
    ...(isIcmp(protocol) && { type, code }),
  }
}

t.test('by keyboard alone', async (t) => {
  await page.show(writePicture(situationOf(RULES), about, 'html'))
  const seen: string[] = []
  for (let i = 0; i < 12; i++) {
    await page.press('Tab')
    seen.push(
      await page.evaluate(
        `document.activeElement.name || document.activeElement.id || document.activeElement.className`,
      ),
    )
  }
  t.equal(seen[0], 'skip')
  for (const name of ['way', 'local', 'remote', 'protocol', 'localPort', 'remotePort', 'tunnel']) {
    t.ok(seen.includes(name), name)
  }
  await page.evaluate(`document.querySelector('[name=remotePort]').select()`)
  await page.evaluate(`document.querySelector('[name=remotePort]').focus()`)
  for (const key of ['8', '0']) await page.press(key)
  t.match(await page.evaluate(`document.querySelector('[name=remotePort]').value`), '80')
  await page.press('Enter')
  t.match(await answer(), /by rule/, 'it is not sent anywhere')
})

t.test('its parts have names', async (t) => {
  t.equal(await page.evaluate(`document.querySelectorAll('input:not([type=hidden]),select').length`), 11)
  t.equal(
    await page.evaluate(
      `[...document.querySelectorAll('input,select')].filter((one) => !one.labels || one.labels.length === 0).length`,
    ),
    0,
  )
  t.equal(
    await page.evaluate(`document.querySelector('svg[role=img] > title').textContent`),
    'IPsec of gateway',
  )
  t.match(
    await page.evaluate(`document.querySelector('svg[role=img] > desc').textContent`),
    /With 10\.1\.0\.0\/16: ESP/,
  )
})

t.test('texts of others do not run', async (t) => {
  const bad = `</script><img src=x onerror="document.title='owned'"><svg onload="document.title='owned'">`
  const rules = RULES.map((one) => ({ ...one, text: bad, file: bad }))
  const html = writePicture(situationOf(rules), { ...about, title: bad }, 'html')
  await page.show(html)
  t.not(await page.evaluate('document.title'), 'owned')
  t.equal(await page.evaluate(`document.querySelectorAll('img').length`), 0)
  t.same(page.complaints, [])
  // Even a hole in the escaping would run nothing: the policy of the page knows its script by its hash.
  await page.show(
    html.replace(
      '<main>',
      `<main><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`,
    ),
  )
  t.not(await page.evaluate('document.title'), 'owned')
  t.match(page.complaints.join(), /Content Security Policy/)
})

t.test('many rules', async (t) => {
  const many = Array.from({ length: 500 }, (_, i) =>
    rule(`10.${i >> 8}.${i & 255}.0`, 24, {}, { protocol: 6, localPort: 1000 + i }),
  )
  await page.show(writePicture(situationOf(many), about, 'html'))
  const rows = () =>
    page.evaluate<number>(
      `[...document.querySelectorAll('tr[data-rule]')].filter((row) => !row.hidden).length`,
    )
  t.equal(await rows(), 100)
  await page.evaluate(
    `{ const f = document.getElementById('filter'); f.value = '10.1.7.0 tcp'; f.dispatchEvent(new Event('input')) }`,
  )
  t.equal(await rows(), 1)
  await page.evaluate(
    `{ const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input')) }`,
  )
  await page.evaluate(set({ local: '10.0.0.1', remote: '10.1.200.1', localPort: 1456 }))
  await page.evaluate(`document.querySelector('#answer a').click()`)
  t.ok(
    await page.evaluate(
      `new Promise((done) => setTimeout(() => done(document.querySelector('tr.wins').checkVisibility()), 50))`,
    ),
    'a link to a row that was not shown',
  )
  t.equal(await rows(), 500)
  t.ok(
    (await page.evaluate<number>(`document.querySelector('svg.picture').getBoundingClientRect().height`)) <
      4000,
  )
})

t.test('by day, at night, narrow and on paper', async (t) => {
  await page.show(writePicture(situationOf(RULES), about, 'html'))
  const paper = () => page.evaluate<string>(`getComputedStyle(document.documentElement).backgroundColor`)
  await page.resize(1200, 900, 'dark')
  t.equal(await paper(), 'rgb(20, 24, 28)')
  await page.resize(1200, 900)
  t.equal(await paper(), 'rgb(255, 255, 255)')
  await page.resize(360, 740)
  t.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360, 'no scrolling sideways')
  await page.resize(1200, 900, 'print')
  t.notOk(await page.evaluate(`document.getElementById('question').checkVisibility()`))
  t.ok((await page.printedPages()) <= 3)
})

t.test('the SVG alone', async (t) => {
  await page.resize(1200, 900)
  await page.show(writePicture(situationOf(RULES), about, 'svg'), 'picture.svg')
  t.same(page.complaints, [])
  t.equal(await page.evaluate('document.documentElement.nodeName'), 'svg')
  t.equal(await page.evaluate(`document.querySelectorAll('.remote').length`), 4)
  const overlapping = `(() => {
    const boxes = [...document.querySelectorAll('.lane .asked, .lane .small, .remote text, .host text')].map((one) => one.getBoundingClientRect())
    const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3
    return boxes.filter((a, i) => boxes.some((b, k) => k > i && meets(a, b))).length
  })()`
  t.equal(await page.evaluate(overlapping), 0, 'no text on another')
})
