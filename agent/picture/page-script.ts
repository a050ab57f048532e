/**
 * The script of the page: the question, its answer, and the filter of the rules. It makes no markup of texts, and asks
 * nobody: what it knows is in the page.
 *
 * @module
 */
import { decideInPage, readAddressInPage } from './page-rules.ts'

/** At first, so many rules of a long list are shown. */
const SHOWN_AT_FIRST = 100

const PAGE = `
const data = JSON.parse(document.getElementById('data').textContent)
const find = (id) => document.getElementById(id)
const form = find('question')
const answer = find('answer')
const fields = form.elements
const rows = [...document.querySelectorAll('tr[data-rule]')]
const ICMP = [1, 58]
const PORTS = [6, 17, 33, 132, 136]

for (const one of document.querySelectorAll('.script')) one.hidden = false

const EXCEPTIONS = {
  own: 'Both ends are this host: what it sends to itself is never protected.',
  'key management': 'UDP 500 and 4500 of this host always pass: key management has to work before there are keys.',
  link: 'Neighbour discovery and multicast listener discovery always pass.',
  'multicast routing': 'IGMP and PIM are let in in clear.',
}

function number(name) {
  const value = Number(fields[name].value)
  return Number.isInteger(value) && value >= 0 ? value : 0
}

function protocolNumber() {
  return fields.protocol.value === '' ? number('other') : Number(fields.protocol.value)
}

function show(element, isShown) {
  element.hidden = !isShown
}

function say(style, verdict, ...lines) {
  answer.className = style
  answer.replaceChildren(
    ...[verdict, ...lines].map((text, i) => {
      const p = document.createElement('p')
      if (i === 0) p.className = 'verdict'
      p.append(text)
      return p
    }),
  )
}

function mark(wanted) {
  for (const row of rows) {
    const isIt = Number(row.dataset.rule) === wanted
    row.classList.toggle('wins', isIt)
    if (isIt) row.setAttribute('aria-current', 'true')
    else row.removeAttribute('aria-current')
  }
}

function link(rule, place) {
  const a = document.createElement('a')
  a.href = '#rule-' + place
  a.textContent = 'rule ' + rule.index
  return a
}

function line(...parts) {
  const fragment = document.createDocumentFragment()
  fragment.append(...parts)
  return fragment
}

function ask() {
  const protocol = protocolNumber()
  show(find('other-field'), fields.protocol.value === '')
  for (const one of form.querySelectorAll('.ports')) show(one, PORTS.includes(protocol))
  for (const one of form.querySelectorAll('.icmp')) show(one, ICMP.includes(protocol))
  const ends = ['local', 'remote'].map((name) => {
    const bytes = readAddress(fields[name].value.trim())
    fields[name].setAttribute('aria-invalid', String(fields[name].value.trim() !== '' && !bytes))
    return bytes
  })
  const [local, remote] = ends
  mark(-1)
  if (!local || !remote) return say('bypass', 'Which packet?', 'Two addresses are needed, both IPv4 or both IPv6.')
  if (local.length !== remote.length)
    return say('bypass', 'Which packet?', 'The two addresses are of different families.')
  const hasPorts = PORTS.includes(protocol)
  const hasTypes = ICMP.includes(protocol)
  const way = fields.way.value
  const tunnel = fields.tunnel ? fields.tunnel.value : ''
  const packet = {
    way,
    local,
    remote,
    protocol,
    localPort: hasPorts ? number('localPort') : 0,
    remotePort: hasPorts ? number('remotePort') : 0,
    type: hasTypes ? number('type') : 0,
    code: hasTypes ? number('code') : 0,
    tunnel,
  }
  const found = decide(data.rules, data.own, packet)
  answer.dataset.decision = JSON.stringify(found)
  if (found.exception) return say('bypass', 'Passes in clear', EXCEPTIONS[found.exception])
  if (found.rule < 0) {
    const isTunnel = data.rules.some((rule) => rule.set === tunnel)
    if (tunnel !== '' && isTunnel)
      return say('drop', 'Dropped', 'The tunnel has rules, and none of them is about this packet.')
    const alone = way === 'in' ? ' It is let in in clear; under an SA it would be refused.' : ''
    return say('bypass', 'Passes in clear', 'No rule is about this packet.' + alone)
  }
  const rule = data.rules[found.rule]
  mark(found.rule)
  const [first, ...others] = rule.actions
  const before = found.asked - 1
  const order = before === 0 ? 'It is asked first.' : before === 1 ? '1 rule is asked before it.' : before + ' rules are asked before it.'
  const icmp = found.isClearIcmp ? ['In clear, this ICMP message is let in all the same.'] : []
  say(
    data.styles[found.rule],
    line(first === 'drop' ? 'Dropped' : first, ', by ', link(rule, found.rule)),
    ...(others.length > 0 ? ['Where that cannot be: ' + others.join(', or ') + '.'] : []),
    ...icmp,
    order,
  )
}

form.addEventListener('input', ask)
form.addEventListener('submit', (event) => event.preventDefault())
ask()

const filter = find('filter')
const more = find('more')
const count = find('count')
let isWhole = false

function sift() {
  const words = filter.value.toLowerCase().split(' ').filter((word) => word !== '')
  let shown = 0
  let matching = 0
  for (const row of rows) {
    const isWanted = words.every((word) => row.textContent.toLowerCase().includes(word))
    if (isWanted) matching++
    const isShown = isWanted && (isWhole || words.length > 0 || matching <= ${SHOWN_AT_FIRST})
    row.hidden = !isShown
    row.toggleAttribute('data-more', !isShown && words.length === 0)
    if (isShown) shown++
  }
  for (const body of document.querySelectorAll('#rules tbody'))
    body.hidden = ![...body.querySelectorAll('tr[data-rule]')].some((row) => !row.hidden)
  count.textContent = shown === rows.length ? '' : shown + ' of ' + rows.length + ' rules are shown.'
  more.hidden = isWhole || words.length > 0 || rows.length <= ${SHOWN_AT_FIRST}
}

if (filter) {
  filter.addEventListener('input', sift)
  more.addEventListener('click', () => {
    isWhole = true
    sift()
    filter.focus()
  })
  sift()
}
addEventListener('hashchange', () => {
  const row = document.querySelector(location.hash === '' ? 'none' : location.hash)
  if (!row || !row.hidden) return
  isWhole = true
  filter.value = ''
  sift()
  row.scrollIntoView()
})
addEventListener('beforeprint', () => {
  for (const body of document.querySelectorAll('#rules tbody')) body.hidden = false
})
addEventListener('afterprint', () => filter && sift())
`

/** All of the script. The functions that decide are those that the tests hold against \`solipsec explain\`. */
export const PAGE_SCRIPT = `'use strict'
{
const decide = ${decideInPage.toString()}
const readAddress = ${readAddressInPage.toString()}
${PAGE}
}`
