/**
 * What the Debian package holds and where. Pure: paths from the checkout to the target system.
 *
 * @module
 */
import { SERVICES } from '../../compat/commands/services/catalogue.ts'

/** A command goes where Solaris has it. */
export const COMMANDS: Readonly<Record<string, 'bin' | 'sbin'>> = {
  ipadm: 'sbin',
  ipsecalgs: 'sbin',
  ipsecconf: 'sbin',
  ipseckey: 'sbin',
  ndd: 'sbin',
  solipsec: 'sbin',
  svcadm: 'sbin',
  svccfg: 'sbin',
  svcprop: 'bin',
  svcs: 'bin',
}

/** Where the program itself is: as it is in the checkout, so that it finds its parts. */
export const HOME = 'usr/lib/solipsec'

/** Names of processors in Debian. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: 'i386',
  riscv64: 'riscv64',
  ppc64: 'ppc64el',
  loong64: 'loong64',
}

/** @param arch `process.arch` */
export function debianArchitecture(arch: string): string {
  const name = ARCHITECTURES[arch]
  if (name === undefined) throw new Error(`Debian has no name for the architecture ${arch}`)
  return name
}

/**
 * Files and folders of the checkout that go along, and where to. Modules of npm: only what is loaded, without sources and
 * libraries for other systems.
 *
 * @param arch `process.arch`
 * @param schemas names of the files with schemas, which the manual refers to
 */
export function copies(
  arch: string,
  schemas: readonly string[],
): readonly (readonly [from: string, to: string])[] {
  const koffi = `@koromix/koffi-linux-${arch}`
  const inHome = [
    'package.json',
    'dist/compat/commands/bundle',
    'docs/man',
    ...schemas.map((name) => `schemas/${name}`),
    'bin/launch.js',
    'bin/svc-method',
    ...Object.keys(COMMANDS).map((name) => `bin/${name}`),
    'node_modules/koffi/package.json',
    'node_modules/koffi/index.cjs',
    'node_modules/koffi/src/koffi/index.cjs',
    'node_modules/koffi/src/koffi/src/static.cjs',
    `node_modules/${koffi}/package.json`,
    `node_modules/${koffi}/index.js`,
    `node_modules/${koffi}/linux_${arch}`,
  ]
  return [
    ...inHome.map((path) => [path, `${HOME}/${path}`] as const),
    ...SERVICES.map(({ unit }) => [`packaging/systemd/${unit}`, `lib/systemd/system/${unit}`] as const),
    ['packaging/system/sysusers.conf', 'usr/lib/sysusers.d/solipsec.conf'],
    ['packaging/system/tmpfiles.conf', 'usr/lib/tmpfiles.d/solipsec.conf'],
    ['packaging/system/logrotate', 'etc/logrotate.d/solipsec'],
    ['packaging/deb/lintian-overrides', 'usr/share/lintian/overrides/solipsec'],
    ['packaging/examples/ipsecinit.sample', 'etc/inet/ipsecinit.sample'],
    ['packaging/examples', 'usr/share/doc/solipsec/examples'],
    ['docs/solipsec.json', 'usr/share/doc/solipsec/examples/solipsec.json'],
    ['packaging/deb/copyright', 'usr/share/doc/solipsec/copyright'],
    ['README.md', 'usr/share/doc/solipsec/README.md'],
    ['docs/differences.md', 'usr/share/doc/solipsec/differences.md'],
  ]
}

/** Folders that are there from the beginning, and who may look into them. */
export const FOLDERS: readonly (readonly [path: string, mode: number])[] = [
  ['etc/inet/secret', 0o700],
  ['etc/solipsec/services', 0o755],
  ['var/lib/solipsec', 0o755],
  ['var/log/svc', 0o755],
]

/** Files below /etc: what an administrator changes in them survives an upgrade. */
export const CONFFILES = ['/etc/inet/ipsecinit.sample', '/etc/logrotate.d/solipsec']
