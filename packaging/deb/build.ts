/**
 * `node dist/packaging/deb/build.js [FOLDER]`: builds `solipsec_VERSION_ARCHITECTURE.deb` from the built checkout, in `dist` unless
 * a folder is named. Needs dpkg-deb(1), no root, and no network.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { completions } from '../completion/generate.ts'
import { controlText } from './control.ts'
import { COMMANDS, CONFFILES, copies, debianArchitecture, FOLDERS, HOME } from './layout.ts'
import { compressed, filesBelow } from './tree.ts'

const MAINTAINER = 'The solipsec authors <solipsec@users.noreply.github.com>'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const architecture = debianArchitecture(process.arch)
const target = join(process.argv[2] ?? join(root, 'dist'), `solipsec_${version}_${architecture}.deb`)

const stage = mkdtempSync(join(tmpdir(), 'solipsec-deb-'))
try {
  fill(stage)
  describe(stage)
  setModes(stage)
  const { SOURCE_DATE_EPOCH = epoch() } = process.env
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', stage, target], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH },
  })
} finally {
  rmSync(stage, { recursive: true, force: true })
}
console.log(target)

/** The same sources give the same package: the time of all files is that of the built commands. */
function epoch(): string {
  return String(Math.floor(statSync(join(root, 'package.json')).mtimeMs / 1000))
}

function put(path: string, contents: string | Uint8Array): void {
  const file = join(stage, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, contents)
}

function fill(stage: string): void {
  for (const [path] of FOLDERS) mkdirSync(join(stage, path), { recursive: true })
  const schemas = readdirSync(join(root, 'schemas')).filter((name) => name.endsWith('.schema.json'))
  for (const [from, to] of copies(process.arch, schemas)) {
    mkdirSync(dirname(join(stage, to)), { recursive: true })
    cpSync(join(root, from), join(stage, to), { recursive: true, dereference: true })
  }
  for (const [command, folder] of Object.entries(COMMANDS)) {
    const link = join(stage, 'usr', folder, command)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(`../lib/solipsec/bin/${command}`, link)
  }
  for (const page of filesBelow(join(root, 'dist', 'man'))) {
    const section = page.slice(page.lastIndexOf('.') + 1)
    put(`usr/share/man/man${section}/${basename(page)}.gz`, compressed(readFileSync(page)))
  }
  for (const [path, text] of Object.entries(completions(join(root, 'docs', 'man'))))
    put(`usr/share/${path}`, text)
  put('usr/share/doc/solipsec/changelog.gz', compressed(readFileSync(join(root, 'packaging/deb/changelog'))))
}

/** The folder DEBIAN: what dpkg knows of the package. */
function describe(stage: string): void {
  const files = filesBelow(stage)
  const installedSize = Math.ceil(files.reduce((sum, file) => sum + statSync(file).size, 0) / 1024)
  put('DEBIAN/control', controlText({ version, architecture, installedSize, maintainer: MAINTAINER }))
  put('DEBIAN/conffiles', CONFFILES.map((path) => `${path}\n`).join(''))
  for (const script of ['postinst', 'prerm', 'postrm']) {
    put(`DEBIAN/${script}`, readFileSync(join(root, 'packaging/deb', script)))
  }
  const sums = files.map((file) => {
    const [sum = ''] = execFileSync('md5sum', [file], { encoding: 'utf8' }).split(' ')
    return [file.slice(stage.length + 1), sum] as const
  })
  const listed = sums.filter(([path]) => !CONFFILES.includes(`/${path}`))
  put('DEBIAN/md5sums', listed.map(([path, sum]) => `${sum}  ${path}\n`).join(''))
}

function setModes(stage: string): void {
  const programs = [`${HOME}/bin/`, 'DEBIAN/postinst', 'DEBIAN/prerm', 'DEBIAN/postrm']
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', stage])
  for (const file of filesBelow(stage)) {
    const path = file.slice(stage.length + 1)
    const isProgram = programs.some((start) => path.startsWith(start)) && !path.endsWith('.js')
    chmodSync(file, isProgram ? 0o755 : 0o644)
  }
  for (const [path, mode] of FOLDERS) chmodSync(join(stage, path), mode)
}
