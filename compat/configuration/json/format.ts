/**
 * JSON as people like to read it: what fits on a line stands on one.
 *
 * @module
 */
const WIDTH = 100

/** Strict JSON with a newline at the end. The document itself, and lists of objects, have a line for each member. */
export function formatJson(value: unknown): string {
  return `${format(value, 0, 0, true)}\n`
}

/** @param used columns that stand before and behind the value on its line */
function format(value: unknown, indent: number, used: number, isOpen: boolean): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const line = oneLine(value)
  const hasObjects = Array.isArray(value) && value.some((item) => typeof item === 'object')
  if (!isOpen && !hasObjects && indent + used + line.length <= WIDTH) return line
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const entries = Array.isArray(value)
    ? value.map((item) => format(item, indent + 2, 1, false))
    : membersOf(value).map(([name, member]) => {
        const head = `${JSON.stringify(name)}: `
        return head + format(member, indent + 2, head.length + 1, false)
      })
  if (entries.length === 0) return line
  const blanks = ' '.repeat(indent + 2)
  return `${open}\n${entries.map((entry) => blanks + entry).join(',\n')}\n${' '.repeat(indent)}${close}`
}

function oneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  const members = membersOf(value).map(([name, member]) => `${JSON.stringify(name)}: ${oneLine(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

function membersOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined)
}
