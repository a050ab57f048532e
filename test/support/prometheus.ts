/**
 * A strict reader of the text format of Prometheus, version 0.0.4, written from its description and not from what we
 * print: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 *
 * @module
 */

export interface ReadSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReadFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly ReadSample[]
}

interface OpenFamily extends ReadFamily {
  help: string
  type: string
  readonly samples: ReadSample[]
}

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * @throws Error at the first thing that is against the format, or against the naming rules that `promtool check metrics`
 *   holds: counters end in `_total`, nothing else does, and every metric has HELP and TYPE before its samples
 */
export function parseMetrics(text: string): Map<string, ReadFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, OpenFamily>()
  const series = new Set<string>()
  let current: OpenFamily | undefined
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment) {
      const [, word, name = '', rest = ''] = comment
      if (current?.name !== name) {
        if (families.has(name)) throw new Error(`${name} is in two places`)
        current = { name, type: '', help: '', samples: [] }
        families.set(name, current)
      }
      if (current.samples.length > 0) throw new Error(`${word} of ${name} after its samples`)
      if (word === 'HELP') current.help = unescaped(rest, /\\[\\n]/g)
      else current.type = rest
      continue
    }
    const sample = readSample(line)
    if (!current || sample.name !== current.name) throw new Error(`a sample of no family: ${line}`)
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
    if (series.has(key)) throw new Error(`twice: ${line}`)
    series.add(key)
    current.samples.push(sample)
  }
  for (const family of families.values()) check(family)
  return families
}

function check({ name, type, help, samples }: ReadFamily): void {
  if (!METRIC.test(name)) throw new Error(`no name of a metric: ${name}`)
  if (help === '') throw new Error(`${name} has no HELP`)
  if (type !== 'counter' && type !== 'gauge') throw new Error(`${name} has no type`)
  if (name.endsWith('_total') !== (type === 'counter')) throw new Error(`${name} is no name for a ${type}`)
  if (samples.length === 0) throw new Error(`${name} has no samples`)
  const isWrong = ({ value }: ReadSample) => type === 'counter' && !(value >= 0)
  if (samples.some(isWrong)) throw new Error(`${name} is a counter below 0`)
}

function readSample(line: string): ReadSample {
  const name = /^[^{ ]*/.exec(line)?.[0] ?? ''
  let at = name.length
  const labels: Record<string, string> = {}
  if (line[at] === '{') {
    at++
    while (line[at] !== '}') {
      const pair = /^([^="{},]+)="((?:[^"\\]|\\[\\n"])*)"(,?)/.exec(line.slice(at))
      if (!pair) throw new Error(`no label at ${at}: ${line}`)
      const [all, label = '', value = '', comma] = pair
      if (!LABEL.test(label) || label.startsWith('__')) throw new Error(`no name of a label: ${label}`)
      if (Object.hasOwn(labels, label)) throw new Error(`a label twice: ${line}`)
      if (comma === '' && line[at + all.length] !== '}') throw new Error(`no comma: ${line}`)
      labels[label] = unescaped(value, /\\[\\n"]/g)
      at += all.length
    }
    at++
  }
  const value = /^ ([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/.exec(line.slice(at))?.[1]
  if (value === undefined) throw new Error(`no value: ${line}`)
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function unescaped(text: string, sequences: RegExp): string {
  return text.replace(sequences, (sequence) => (sequence === '\\n' ? '\n' : sequence.charAt(1)))
}
