/**
 * The reference part of solipsec.json(5), made from the descriptions in the schema.
 *
 * @module
 */
import { resolved, type SchemaNode } from '../../compat/configuration/schema-at.ts'
import { schema } from '../../schemas/generated/configuration-schema.ts'

/** Headings and terms, in Markdown: the document first, then what stands in its lists and objects. */
export function reference(): string {
  const root = schema as SchemaNode
  const writer = new Writer()
  const sections = Object.entries(root.properties ?? {})
  const top = sections.map(([name, node]) => termOf(name, node))
  const parts = sections.flatMap(([name, node]) => writer.section(name, resolved(node)))
  return [`### The document\n\n${top.join('\n')}`, ...parts].join('\n\n')
}

const WIDTH = 120

class Writer {
  /** What is written once need not be written again. */
  readonly #done = new Set<string>()

  section(name: string, node: SchemaNode): string[] {
    const { items } = node
    const target = items ? resolved(items) : node
    const lines = this.#members(target, items?.$ref)
    if (lines.length === 0) return []
    const title = items ? `An entry of ${name}` : name
    const { file } = (items && node.properties) ?? {}
    const instead = file
      ? [wrapped(`In place of the list, an object with \`file\`: ${file.description}`, '')]
      : []
    return [[`### ${title}`, ...instead, lines.join('\n')].join('\n\n')]
  }

  #members(node: SchemaNode, reference: string | undefined, prefix = ''): string[] {
    if (reference !== undefined) {
      if (this.#done.has(reference)) return []
      this.#done.add(reference)
    }
    return Object.entries(node.properties ?? {}).flatMap(([name, member]) => {
      if (name === 'comment') return []
      const path = prefix + name
      return [termOf(path, member), ...this.#inside(member, path)]
    })
  }

  #inside(member: SchemaNode, path: string): string[] {
    const target = resolved(member)
    const branch = target.else?.$ref === undefined ? undefined : target.else
    const inner = branch ? resolved(branch) : target
    const lines = this.#members(inner, branch?.$ref ?? member.$ref, `${path}.`)
    const item = target.items && resolved(target.items)
    return [...lines, ...(item?.properties ? this.#members(item, target.items?.$ref, `${path}[].`) : [])]
  }
}

function termOf(name: string, node: SchemaNode): string {
  return wrapped(`- \`${name}\`: ${resolved(node).description ?? ''}`, '  ')
}

function wrapped(text: string, indent: string): string {
  let line = ''
  const lines: string[] = []
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = indent + word
    } else line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}
