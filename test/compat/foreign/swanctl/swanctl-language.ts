/**
 * Reads sections and settings as swanctl.conf(5) has them: one setting a line, comments on lines of their own, nothing else.
 *
 * @module
 */
export interface Section {
  readonly settings: ReadonlyMap<string, string>
  readonly sections: ReadonlyMap<string, Section>
  /** Comments in it, but not in its sections. */
  readonly comments: readonly string[]
}

/** @throws Error where a line is not in the language */
export function readSections(lines: readonly string[]): Section {
  const root = blank()
  const path = [root]
  for (const line of lines) {
    const section = path.at(-1)
    if (!section) throw new Error('too many }')
    const [, name] = /^ *([a-z][\w-]*) \{$/.exec(line) ?? []
    const [, key, value] = /^ *([a-z_]+) = ([^\s#{}"][^#{}"]*)$/.exec(line) ?? []
    if (/^ *#/.test(line)) section.comments.push(line.trim())
    else if (/^ *\}$/.test(line)) path.pop()
    else if (name !== undefined) {
      if (section.sections.has(name)) throw new Error(`${name} twice`)
      const inner = blank()
      section.sections.set(name, inner)
      path.push(inner)
    } else if (key !== undefined && value !== undefined) section.settings.set(key, value)
    else throw new Error(`not in the language: ${line}`)
  }
  if (path.length !== 1) throw new Error('a } is missing')
  return root
}

function blank() {
  return {
    settings: new Map<string, string>(),
    sections: new Map<string, Section>(),
    comments: [] as string[],
  }
}

/** A child with what its connection says of the ends. */
export interface SpokenChild {
  readonly ends: string
  readonly comment: string
  readonly settings: Readonly<Record<string, string>>
}

export function childrenIn(root: Section): SpokenChild[] {
  const found: SpokenChild[] = []
  for (const { settings, sections } of root.sections.get('connections')?.sections.values() ?? []) {
    const ends = `${settings.get('local_addrs')} ${settings.get('remote_addrs')}`
    const children = sections.get('children')
    const comments = [...(children?.comments ?? [])]
    for (const child of children?.sections.values() ?? []) {
      found.push({ ends, comment: comments.shift() ?? '', settings: Object.fromEntries(child.settings) })
    }
  }
  return found
}
