/**
 * The page: the picture, a question about a packet, rules and SAs. One file that needs no other and no server. Its policy
 * (CSP) lets run nothing but the one script that belongs to it, known by its hash: a rule's text that looked like a script
 * would not be one.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { escapeJson, escapeXml } from './escape.ts'
import { isAny } from './graph.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'
import type { PictureReport, ReportRule, ReportSa } from './report.ts'
import { lines, pictureSvg, plainEnd, supplyOf } from './svg.ts'

/** A whole HTML document. */
export function pictureHtml(report: PictureReport): string {
  const { title, rules, associations, tunnels } = report
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(PAGE_STYLE)}`,
    `script-src ${hashOf(PAGE_SCRIPT)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const count = (number: number, one: string, many = `${one}s`) =>
    `<li>${number} ${number === 1 ? one : many}</li>`
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeXml(title)} – IPsec</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#rules-title">To the rules</a>
<header>
<h1>${escapeXml(title)}</h1>
<p class="soft">IPsec: ${escapeXml(report.source)}, as of ${escapeXml(report.time)}</p>
<ul class="facts">${count(new Set(rules.map(({ index }) => index)).size, 'rule')}${count(associations.length, 'SA')}${count(tunnels.length, 'tunnel')}</ul>
</header>
<main>
<section aria-labelledby="picture-head">
<h2 id="picture-head">Who talks to whom</h2>
<div class="scroll" tabindex="0" role="group" aria-label="Picture">
${pictureSvg(report, false)}</div>
</section>
${question(report)}
${ruleSection(report)}
${associationSection(associations)}
</main>
<script type="application/json" id="data">${escapeJson({
    rules: rules.map(({ page }) => page),
    styles: rules.map(({ style }) => style),
    own: report.own,
  })}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

const PROTOCOLS: readonly (readonly [number, string])[] = [
  [6, 'TCP'],
  [17, 'UDP'],
  [1, 'ICMP'],
  [58, 'ICMPv6'],
  [132, 'SCTP'],
  [47, 'GRE'],
  [4, 'IPv4 in IP'],
  [41, 'IPv6 in IP'],
]

function question({ localAddresses, tunnels, rules }: PictureReport): string {
  const remote = rules.map((rule) => rule.remote).find((end) => !isAny(end)) ?? ''
  const hint = (remote.split('/')[0] ?? '').replace(/\.0$/, '.1').replace(/::$/, '::1')
  const local =
    localAddresses.find((one) => one.includes(':') === hint.includes(':')) ?? localAddresses[0] ?? ''
  const field = (name: string, label: string, kind: string, attributes: string) =>
    `<label class="${kind}">${label}<input name="${name}" ${attributes}></label>`
  const port = 'inputmode="numeric" pattern="[0-9]*" maxlength="5" autocomplete="off"'
  const address = 'autocomplete="off" spellcheck="false" autocapitalize="off"'
  const options = PROTOCOLS.map(([number, name]) => `<option value="${number}">${name}</option>`).join('')
  const through =
    tunnels.length === 0
      ? ''
      : `<label>Through<select name="tunnel"><option value="">no tunnel</option>${tunnels
          .map(({ name }) => `<option value="${escapeXml(name)}">${escapeXml(name)}</option>`)
          .join('')}</select></label>`
  return `<section class="screen" aria-labelledby="question-title">
<h2 id="question-title">Which rule decides for a packet?</h2>
<noscript><p>This needs JavaScript; so does <code>solipsec explain</code> not.</p></noscript>
<form id="question" class="script" hidden>
<label>The packet<select name="way"><option value="out">goes out</option><option value="in">comes in</option></select></label>
<label class="wide">Address of this host<input name="local" list="own" value="${escapeXml(local)}" ${address}></label>
<datalist id="own">${localAddresses.map((one) => `<option value="${escapeXml(one)}"></option>`).join('')}</datalist>
<label class="wide">Address of the other<input name="remote" value="${escapeXml(hint)}" ${address}></label>
<label>Protocol<select name="protocol">${options}<option value="">another</option></select></label>
<label id="other-field" hidden>Its number<input name="other" value="89" inputmode="numeric" pattern="[0-9]*" maxlength="3"></label>
${field('localPort', 'Port of this host', 'ports', `value="49152" ${port}`)}
${field('remotePort', 'Port of the other', 'ports', `value="443" ${port}`)}
${field('type', 'Type', 'icmp', `value="8" ${port}`)}
${field('code', 'Code', 'icmp', `value="0" ${port}`)}
${through}
</form>
<output id="answer" for="question" class="script" aria-live="polite" hidden></output>
</section>`
}

function ruleSection({ rules }: PictureReport): string {
  if (rules.length === 0) {
    return `<section aria-labelledby="rules-title"><h2 id="rules-title">Rules</h2><p>None: everything passes in clear.</p></section>`
  }
  return `<section aria-labelledby="rules-title">
<h2 id="rules-title">Rules, in the order of asking</h2>
<p class="soft">The first that is about a packet decides.</p>
<div class="tools screen script" hidden>
<label>Show rules with<input id="filter" type="search" placeholder="192.0.2 443" autocomplete="off" spellcheck="false"></label>
<button id="more" type="button" hidden>Show all</button>
<span id="count" class="soft" role="status"></span>
</div>
<div class="scroll" tabindex="0" role="group" aria-label="Rules">
<table id="rules">
<thead><tr><th scope="col">Rule</th><th scope="col">Does</th><th scope="col">This host</th><th scope="col">Others</th><th scope="col">Packets</th></tr></thead>
${groups(rules).join('\n')}
</table>
</div>
</section>`
}

const GROUP_NAMES = {
  bypass: 'What may pass in clear, asked first',
  'AH and ESP': 'AH and ESP',
  ESP: 'ESP',
  AH: 'AH',
  drop: 'What is dropped, asked last',
} as const

/** One body for each kind of rules of the host, and of each tunnel. */
function groups(rules: readonly ReportRule[]): string[] {
  const bodies: string[] = []
  let open = ''
  let rows: string[] = []
  let name = ''
  const close = () => {
    if (rows.length > 0)
      bodies.push(
        `<tbody><tr><th colspan="5" scope="rowgroup">${escapeXml(name)}</th></tr>${rows.join('\n')}</tbody>`,
      )
    rows = []
  }
  rules.forEach((rule, i) => {
    const set = rule.page.set ?? ''
    const key = `${set}\n${rule.kind}`
    if (key !== open) close()
    open = key
    name = `${set === '' ? '' : `Tunnel ${set}: `}${GROUP_NAMES[rule.kind]}`
    rows.push(row(rule, i))
  })
  close()
  return bodies
}

function row(rule: ReportRule, place: number): string {
  const { index, style, actions, local, remote, upper, direction, tunnel, text, file, line, hiddenBy } = rule
  const [first = '', ...others] = actions
  const ways = { in: 'incoming only', out: 'outgoing only', both: '' }[direction]
  const carried = tunnel?.mode === 'transport' ? `packets of ${tunnel.name} itself` : ''
  const packets = [upper || 'all packets', ways, carried].filter((one) => one !== '').join(', ')
  const supply = supplyOf({
    style,
    hiddenBy: hiddenBy === undefined ? [] : [hiddenBy],
    ...(rule.associations !== undefined && { associations: rule.associations }),
  })
  const lack = rule.associations === 0 ? 'lack' : 'soft'
  const notes = [
    ...(supply === '' ? [] : [`<span class="${lack}">${supply}</span>`]),
    ...(hiddenBy === undefined
      ? []
      : [`<span class="soft">never decides: rule ${hiddenBy} is asked before</span>`]),
  ]
  return `<tr id="rule-${place}" data-rule="${place}"${hiddenBy === undefined ? '' : ' class="never"'}>
<td class="number">${index}</td>
<td><span class="asked">${key(style)}<span class="${style}">${escapeXml(first)}</span></span>${others
    .map((one) => `<div class="alternative soft">or ${escapeXml(one)}</div>`)
    .join('')}${notes.map((one) => `<div class="alternative">${one}</div>`).join('')}</td>
<td class="mono">${escapeXml(shortEnd(local))}</td>
<td class="mono">${escapeXml(shortEnd(remote))}</td>
<td>${escapeXml(packets)}<code class="source">${escapeXml(text)}</code><span class="source">${escapeXml(`${file}:${line}`)}</span></td>
</tr>`
}

function shortEnd(end: string): string {
  return isAny(end) ? plainEnd(end).replace('anybody, ', 'any\u00a0').replace('anybody', 'any') : end
}

/** The line of a style, as in the picture. */
function key(style: ReportRule['style']): string {
  return `<svg class="picture key" viewBox="0 0 44 12" aria-hidden="true"><g class="lane ${style}">${lines(style, 0, 44, 6)}</g></svg>`
}

function associationSection(associations: readonly ReportSa[]): string {
  if (associations.length === 0) {
    return `<section aria-labelledby="sas-title"><h2 id="sas-title">SAs</h2><p>None.</p></section>`
  }
  const sorted = [...associations].sort(
    (a, b) => compare(peersOf(a), peersOf(b)) || compare(a.source, b.source),
  )
  const hasState = associations.some(({ state }) => state !== undefined)
  return `<section aria-labelledby="sas-title">
<h2 id="sas-title">SAs</h2>
<div class="scroll" tabindex="0" role="group" aria-label="SAs">
<table>
<thead><tr><th scope="col">SPI</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Protection</th>${hasState ? '<th scope="col">State</th><th scope="col">Bytes</th>' : ''}</tr></thead>
<tbody>
${sorted.map((one) => associationRow(one, hasState)).join('\n')}
</tbody>
</table>
</div>
</section>`
}

function peersOf({ source, destination }: ReportSa): string {
  return [source, destination].sort().join(' ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function associationRow(sa: ReportSa, hasState: boolean): string {
  const { protocol, spi, source, destination, algorithms, mode, state = '', bytes = '', direction } = sa
  const ways = { in: ' (comes in)', out: ' (goes out)' }
  const way = direction ? ways[direction] : ''
  const inMode = mode === 'tunnel' ? ', tunnel mode' : ''
  const states =
    `<td class="nowrap">${state === 'mature' ? escapeXml(state) : `<span class="lack">${escapeXml(state)}</span>`}</td>` +
    `<td class="nowrap">${escapeXml(bytes)}</td>`
  return `<tr><td class="mono">${escapeXml(spi)}</td><td class="mono">${escapeXml(source)}</td><td class="mono">${escapeXml(destination)}</td><td><span class="${protocol}">${protocol.toUpperCase()}</span> ${escapeXml(algorithms + inMode)}<span class="soft">${way}</span></td>${hasState ? states : ''}</tr>`
}
