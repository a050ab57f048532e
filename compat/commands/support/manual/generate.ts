/**
 * Build step: `docs/man/NAME.SECTION.md` → `dist/man/NAME.SECTION`.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { MANUAL_SOURCES } from './help.ts'
import { parseManual } from './parse.ts'
import { manualToRoff } from './roff.ts'

const root = new URL('../../', MANUAL_SOURCES)
const target = new URL('dist/man/', root)
const { name, version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  name: string
  version: string
}

mkdirSync(target, { recursive: true })
for (const file of readdirSync(MANUAL_SOURCES)) {
  const page = /^([\w.-]+)\.(\d)\.md$/.exec(file)
  if (!page) continue
  const blocks = parseManual(readFileSync(new URL(file, MANUAL_SOURCES), 'utf8'))
  const title = { name: page[1] ?? '', section: page[2] ?? '', source: `${name} ${version}` }
  writeFileSync(new URL(file.slice(0, -3), target), manualToRoff(blocks, title))
}
