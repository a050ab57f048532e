/**
 * Words as the lexer of key files reads them.
 *
 * @module
 */

/** A word, in quotes where it needs them; `undefined` where the language has no way to write it. */
export function quotedWord(text: string): string | undefined {
  if (/^[^\s"][^\s]*$/.test(text)) return text
  return text === '' || /["\n]/.test(text) ? undefined : `"${text}"`
}

/**
 * Words as one command, on more than one line where it is long.
 *
 * @param groups words that stay together: the name of an extension and its values
 */
export function formatCommand(groups: readonly (readonly string[])[]): string {
  const lines: string[] = []
  let line = ''
  for (const group of groups) {
    const words = group.join(' ')
    if (line !== '' && line.length + words.length + 1 > WIDTH) {
      lines.push(line)
      line = words
    } else line = line === '' ? words : `${line} ${words}`
  }
  lines.push(line)
  const text = lines.join(' \\\n    ')
  // A backslash at the very end would join the next command.
  return text.endsWith('\\') ? `${text} ` : text
}

const WIDTH = 96
