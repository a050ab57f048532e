/**
 * The picture: this host on the left, others on the right, and between them a lane for each kind of protection. What a lane
 * means is said by its colour, by its kind of line, and in words, so that each is enough by itself.
 *
 * @module
 */
import { escapeXml, fitted } from './escape.ts'
import { type Graph, graphOf, type Lane, type Node } from './graph.ts'
import { type PictureReport, STYLE_NAMES, STYLES, type Style } from './report.ts'
import { SVG_STYLE } from './svg-style.ts'

const WIDTH = 1120
const MARGIN = 24
const HEAD = 84
const HOST_WIDTH = 200
const NODE_WIDTH = 252
const NODE_X = WIDTH - MARGIN - NODE_WIDTH
const LANE_X = MARGIN + HOST_WIDTH
const LANE_HEIGHT = 58
const NODE_GAP = 18
const NODE_PADDING = 10
/** Of a node's first line, its further lines, and what stands above them. */
const LINE = 19
const LEGEND = 76
/** Room for a tunnel's name within it. */
const PIPE_CAPTION = 26
const ARROW = 9

interface Placed {
  readonly node: Node
  readonly y: number
  readonly height: number
}

/** @param isStandalone it has its own style and namespace; else the page around it has them */
export function pictureSvg(report: PictureReport, isStandalone = true): string {
  const graph = graphOf(report)
  const placed = place(graph.nodes)
  const last = placed.at(-1)
  const bottom = last ? last.y + last.height : HEAD + 3 * LANE_HEIGHT
  const height = bottom + LEGEND
  const parts = [
    `<title id="picture-title">${escapeXml(`IPsec of ${report.title}`)}</title>`,
    `<desc id="picture-desc">${escapeXml(description(report, graph))}</desc>`,
    ...(isStandalone ? [`<style>${SVG_STYLE}</style>`] : []),
    `<rect class="sheet" width="${WIDTH}" height="${height}"/>`,
    ...(isStandalone ? [heading(report)] : []),
    host(report, bottom),
    ...(placed.length === 0 ? [nothing()] : placed.map((one) => drawNode(one, report))),
    legend(bottom + 34),
  ]
  if (isStandalone) {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" ${LABELLED}>\n${parts.join('\n')}\n</svg>\n`
    )
  }
  // The page has the heading, and its own margins.
  const view = [MARGIN - 1, HEAD - 1, WIDTH - 2 * MARGIN + 2, height - HEAD - 14]
  return `<svg class="picture" viewBox="${view.join(' ')}" ${LABELLED}>\n${parts.join('\n')}\n</svg>\n`
}

const LABELLED = 'role="img" aria-labelledby="picture-title picture-desc"'

function place(nodes: readonly Node[]): Placed[] {
  const placed: Placed[] = []
  let y = HEAD
  for (const node of nodes) {
    const lines = 2 + node.remotes.length + (node.more > 0 ? 1 : 0) + (node.tunnel ? 1 : 0)
    const lanes = node.lanes.length * LANE_HEIGHT + (node.tunnel ? PIPE_CAPTION : 0)
    const height = Math.max(lanes, lines * LINE) + NODE_PADDING
    placed.push({ node, y, height })
    y += height + NODE_GAP
  }
  return placed
}

/** The picture in words, for those who do not see it. */
function description({ rules, associations, tunnels }: PictureReport, { nodes }: Graph): string {
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`
  const lines = nodes.flatMap((node) =>
    node.lanes.map((lane) => `${directionText(lane)} ${nodeName(node)}: ${asked(lane)}, ${about(lane)}.`),
  )
  return [
    `${count(rules.length, 'rule', 'rules')}, ${count(associations.length, 'SA', 'SAs')}, ${count(tunnels.length, 'tunnel', 'tunnels')}.`,
    ...lines.slice(0, 40),
  ].join(' ')
}

function nodeName({ remotes, more }: Node): string {
  const rest = more > 0 ? [`${more} ${remotes.length > 0 ? 'more' : 'others'}`] : []
  return [...remotes, ...rest].join(', ')
}

function heading({ title, source, time }: PictureReport): string {
  return [
    `<text class="h1" x="${MARGIN}" y="38">${escapeXml(fitted(title, 620, 22))}</text>`,
    `<text class="small" x="${MARGIN}" y="60">${escapeXml(fitted(source, 700, 13))}</text>`,
    `<text class="small" x="${WIDTH - MARGIN}" y="60" text-anchor="end">${escapeXml(time)}</text>`,
  ].join('\n')
}

function host({ localAddresses }: PictureReport, bottom: number): string {
  const height = bottom - HEAD
  const room = Math.max(1, Math.floor((height - 44) / LINE))
  const shown = localAddresses.length > room ? localAddresses.slice(0, Math.max(0, room - 1)) : localAddresses
  const more = localAddresses.length - shown.length
  const lines = [...shown, ...(more > 0 ? [`and ${more} more`] : [])]
  return [
    '<g class="host">',
    `<title>${escapeXml(`this host: ${localAddresses.join(', ')}`)}</title>`,
    `<rect x="${MARGIN}" y="${HEAD}" width="${HOST_WIDTH}" height="${height}" rx="8"/>`,
    `<text class="name" x="${MARGIN + 16}" y="${HEAD + 28}">this host</text>`,
    ...lines.map(
      (line, i) =>
        `<text class="mono" x="${MARGIN + 16}" y="${HEAD + 52 + i * LINE}">${escapeXml(fitted(line, HOST_WIDTH - 28, 14))}</text>`,
    ),
    '</g>',
  ].join('\n')
}

function nothing(): string {
  const y = HEAD + 1.5 * LANE_HEIGHT
  return `<text class="small" x="${LANE_X + 32}" y="${y}">No rules: everything passes in clear.</text>`
}

function drawNode({ node, y, height }: Placed, report: PictureReport): string {
  const { tunnel, lanes } = node
  const caption = tunnel ? PIPE_CAPTION : 0
  const lanesHeight = lanes.length * LANE_HEIGHT
  const top = y + caption + (height - caption - lanesHeight) / 2
  return [
    '<g class="node">',
    ...(tunnel ? [pipe(tunnel.name, report, y, height)] : []),
    box(node, y, height),
    ...lanes.map((lane, i) => drawLane(lane, node, top + (i + 0.5) * LANE_HEIGHT)),
    '</g>',
  ].join('\n')
}

/** What goes through a tunnel is drawn within it. */
function pipe(name: string, { tunnels }: PictureReport, y: number, height: number): string {
  const x = LANE_X + 8
  const width = NODE_X - LANE_X - 16
  const tunnel = tunnels.find((one) => one.name === name)
  const ends = tunnel ? `: ${tunnel.local} ⇄ ${tunnel.remote}` : ', which is not there'
  const caption = `tunnel ${name}${ends}`
  return [
    `<rect class="pipe" x="${x}" y="${y + 2}" width="${width}" height="${height - 4}" rx="20"/>`,
    `<text class="small" x="${x + 32}" y="${y + 25}">${escapeXml(fitted(caption, width - 60, 13))}</text>`,
  ].join('\n')
}

function box(node: Node, y: number, height: number): string {
  const { remotes, more, tunnel } = node
  const kind = tunnel
    ? tunnel.mode === 'tunnel'
      ? `through ${tunnel.name}`
      : `carried by ${tunnel.name}`
    : remotes.length + more > 1
      ? 'networks and hosts'
      : 'to'
  const names = remotes.map(plainEnd)
  const lines = [...names, ...(more > 0 ? [`${remotes.length > 0 ? 'and ' : ''}${more} more`] : [])]
  const isSingle = lines.length === 1 && !tunnel
  const textHeight = (lines.length + (isSingle ? 0 : 1)) * LINE
  const start = y + (height - textHeight) / 2 + 14
  const x = NODE_X + 16
  const caption = isSingle
    ? []
    : [`<text class="small" x="${x}" y="${start}">${escapeXml(fitted(kind, NODE_WIDTH - 28, 13))}</text>`]
  return [
    '<g class="remote">',
    `<title>${escapeXml(nodeName(node))}</title>`,
    `<rect x="${NODE_X}" y="${y}" width="${NODE_WIDTH}" height="${height}" rx="8"/>`,
    ...caption,
    ...lines.map((line, i) => {
      const at = start + (i + caption.length) * LINE
      return `<text class="${i < names.length && !isWord(line) ? 'mono' : 'name'}" x="${x}" y="${at}">${escapeXml(fitted(line, NODE_WIDTH - 28, 14))}</text>`
    }),
    '</g>',
  ].join('\n')
}

function isWord(line: string): boolean {
  return line.startsWith('any')
}

/** What stands for every address, in words. */
export function plainEnd(end: string): string {
  if (end === 'any') return 'anybody'
  if (end === '0.0.0.0/0') return 'anybody, IPv4'
  return end === '::/0' ? 'anybody, IPv6' : end
}

function drawLane(lane: Lane, { tunnel }: Node, y: number): string {
  const { style, direction } = lane
  const inset = tunnel ? 26 : 10
  const [from, to] = [LANE_X + inset, NODE_X - inset]
  const hasIn = direction !== 'out'
  const hasOut = direction !== 'in'
  const [start, end] = [from + (hasIn ? ARROW : 0), to - (hasOut ? ARROW : 0)]
  const text = asked(lane)
  const room = to - from - 28
  const supply = supplyOf(lane)
  const isHidden = lane.hiddenBy.length > 0
  return [
    `<g class="lane ${style}${isHidden ? ' hidden' : ''}">`,
    `<title>${escapeXml(`${text}. ${about(lane)}`)}</title>`,
    `<text class="asked" x="${from + 14}" y="${y - 9}">${escapeXml(fitted(text, room - 60, 15))}</text>`,
    ...(supply === ''
      ? []
      : [
          `<text class="${lane.associations === 0 ? 'lack' : 'small'}" x="${to - 14}" y="${y - 9}" text-anchor="end">${supply}</text>`,
        ]),
    lines(style, start, end, y),
    ...(hasIn ? [arrow(from, y, 1)] : []),
    ...(hasOut ? [arrow(to, y, -1)] : []),
    ...(style === 'drop' ? [cross((from + to) / 2, y)] : []),
    `<text class="small" x="${from + 14}" y="${y + 19}">${escapeXml(fitted(about(lane), room, 13))}</text>`,
    '</g>',
  ].join('\n')
}

/** How many SAs there are; nothing where that is beside the point. */
export function supplyOf({
  style,
  associations,
  hiddenBy,
}: Pick<Lane, 'style' | 'associations' | 'hiddenBy'>): string {
  if (associations === undefined || hiddenBy.length > 0) return ''
  if (associations === 0) return style === 'both' ? 'SAs missing' : 'no SA'
  return associations === 1 ? '1 SA' : `${associations} SAs`
}

/** AH around ESP is a double line. */
export function lines(style: Style, from: number, to: number, y: number): string {
  const line = (at: number) => `<path class="line" d="M${from} ${at}H${to}"/>`
  return style === 'both' ? `${line(y - 2.5)}${line(y + 2.5)}` : line(y)
}

function arrow(x: number, y: number, way: 1 | -1): string {
  return `<path class="tip" d="M${x} ${y}l${way * ARROW} -5.5v11z"/>`
}

function cross(x: number, y: number): string {
  return `<path class="cross" d="M${x - 7} ${y - 7}l14 14m0 -14l-14 14"/>`
}

/** What the lane's packets get. */
export function asked({ style, actions, rules }: Lane): string {
  if (actions.length === 0) return `${STYLE_NAMES[style]}: ${rules.length} rules`
  return actions.join(', or ')
}

/** Which packets, and of which rules. */
function about({ packets, local, direction, rules, hiddenBy }: Lane): string {
  const words: string[] = []
  if (local !== '') words.push(`local ${local}`)
  if (packets.length > 0) words.push(packets.join('; '))
  if (direction !== 'both') words.push(`${direction === 'in' ? 'incoming' : 'outgoing'} only`)
  if (hiddenBy.length > 0) words.unshift(`never comes to it: rule ${hiddenBy.join(', ')} is asked before`)
  const numbers = rules.length > 4 ? `${rules.slice(0, 3).join(', ')} … ${rules.at(-1)}` : rules.join(', ')
  return `${[...words, `${rules.length === 1 ? 'rule' : 'rules'} ${numbers}`].join(' · ')}`
}

function directionText({ direction }: Lane): string {
  return { in: 'From', out: 'To', both: 'With' }[direction]
}

function legend(y: number): string {
  let x = MARGIN
  const entries = STYLES.map((style) => {
    const at = x
    x += 54 + STYLE_NAMES[style].length * 7.2 + 30
    return [
      `<g class="lane ${style}">`,
      lines(style, at, at + 44, y),
      ...(style === 'drop' ? [cross(at + 22, y)] : []),
      `<text class="small" x="${at + 54}" y="${y + 4.5}">${escapeXml(STYLE_NAMES[style])}</text>`,
      '</g>',
    ].join('')
  })
  return ['<g class="legend">', ...entries, '</g>'].join('\n')
}
