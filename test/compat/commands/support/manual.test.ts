import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { helpText, MANUAL_SOURCES, synopsisText } from '../../../../compat/commands/support/manual/help.ts'
import { inlines, parseManual } from '../../../../compat/commands/support/manual/parse.ts'
import { manualToRoff } from '../../../../compat/commands/support/manual/roff.ts'
import { manualToText, section } from '../../../../compat/commands/support/manual/text.ts'

const PAGE = `# demo(8)

## NAME

demo - shows
things

## SYNOPSIS

\`\`\`
demo [-a FILE]
.start 'x' \\n
\`\`\`

## OPTIONS

- \`-a FILE\`: Add *the*
  rules of [a file](x.md).
- \`--a-very-long-option NAME\`: Its text.
- just a point

### More

| a \\| b | c |
|---|---|
| \`d\` | e |
`

t.test('a page is taken apart', async (t) => {
  const blocks = parseManual(PAGE)
  t.same(
    blocks.map((block) => block.kind),
    [
      'heading',
      'heading',
      'paragraph',
      'heading',
      'code',
      'heading',
      'term',
      'term',
      'bullet',
      'heading',
      'table',
    ],
  )
  t.same(blocks[2], { kind: 'paragraph', text: [{ kind: 'text', text: 'demo - shows things' }] })
  t.same(blocks[6], {
    kind: 'term',
    term: '-a FILE',
    text: [
      { kind: 'text', text: 'Add ' },
      { kind: 'italic', text: 'the' },
      { kind: 'text', text: ' rules of ' },
      { kind: 'link', text: 'a file', target: 'x.md' },
      { kind: 'text', text: '.' },
    ],
  })
  t.same(blocks[10], {
    kind: 'table',
    rows: [
      [inlines('a | b'), inlines('c')],
      [inlines('`d`'), inlines('e')],
    ],
  })
})

t.test('roff keeps what it would otherwise interpret', async (t) => {
  const roff = manualToRoff(parseManual(PAGE), { name: 'demo', section: '8', source: 'solipsec 1' })
  t.ok(roff.startsWith(`'\\" t\n.TH DEMO 8 "" "solipsec 1" `))
  t.ok(roff.includes('\n\\&.start \\(aqx\\(aq \\en\n'))
  t.ok(roff.includes('.TP\n\\fB\\-a FILE\\fR\nAdd \\fIthe\\fR rules of a file.\n'))
  t.ok(roff.includes('.SS "More"'))
})

t.test('plain text for --help', async (t) => {
  const text = manualToText(section(parseManual(PAGE), 'OPTIONS'))
  t.ok(text.startsWith('  -a FILE           Add the rules of a file.\n  --a-very-long-option NAME\n'))
  t.ok(text.includes(`\n${' '.repeat(20)}Its text.\n`))
  t.same(section(parseManual(PAGE), 'NOTHING'), [])
})

t.test('every page of ours is good roff, and --help tells each of its options', async (t) => {
  const pages = readdirSync(MANUAL_SOURCES).filter((file) => file.endsWith('.8.md'))
  t.ok(pages.length > 0)
  const groff = spawnSync('groff', ['--version']).error === undefined
  for (const file of pages) {
    const blocks = parseManual(readFileSync(new URL(file, MANUAL_SOURCES), 'utf8'))
    const name = file.slice(0, -5)
    const help = helpText(name)
    t.ok(help.includes(synopsisText(name)))
    for (const block of section(blocks, 'OPTIONS')) {
      if (block.kind === 'term') t.ok(help.includes(`\n  ${block.term}`), `${name} ${block.term}`)
    }
    for (const block of section(blocks, 'COMMANDS')) {
      if (block.kind === 'term') t.ok(help.includes(`\n  ${block.term}`), `${name} ${block.term}`)
    }
    t.ok(help.split('\n').every((line) => line.length <= 100))
    const roff = manualToRoff(blocks, { name, section: '8', source: 'solipsec' })
    if (!groff) t.comment('groff is not installed: its check is left out')
    else {
      const { stderr, status } = spawnSync('groff', ['-t', '-man', '-ww', '-Tutf8'], { input: roff })
      t.equal(stderr.toString(), '', `${name}: no warning`)
      t.equal(status, 0)
    }
  }
})

t.test('a command without a page still answers', async (t) => {
  t.equal(synopsisText('no-such-command'), 'Usage:\n  see man no-such-command\n')
})

t.test('the build writes the pages', async (t) => {
  const generate = new URL('../../../../compat/commands/support/manual/generate.js', import.meta.url)
  execFileSync(process.execPath, [generate.pathname])
  const page = readFileSync(new URL('dist/man/ipsecalgs.8', new URL('../../', MANUAL_SOURCES)), 'utf8')
  t.match(page, /^'\\" t\n\.TH IPSECALGS 8 /)
})
