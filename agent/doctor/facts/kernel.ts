/**
 * The running kernel: its release, what it was built with, and which modules there are for it.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { gunzipSync } from 'node:zlib'
import { type Known, look } from '../known.ts'

/** `y`: built in; `m`: a module; `n`: left out. */
export type BuildOption = 'y' | 'm' | 'n'

export interface KernelFacts {
  readonly release: string
  /** As Node.js calls it: `x64`, `arm64`, … */
  readonly architecture: string
  /** Value of an option of the build without its `CONFIG_`; `n` also where the file does not have it. */
  readonly options: Known<ReadonlyMap<string, BuildOption>>
  /** Names of modules that lie ready for this release, with `_` for `-`. */
  readonly modules: Known<ReadonlySet<string>>
}

export function readKernel(): KernelFacts {
  const name = release()
  return {
    release: name,
    architecture: process.arch,
    options: look(() => parseOptions(readConfiguration(name))),
    modules: look(() => parseModules(readFileSync(`/lib/modules/${name}/modules.dep`, 'utf8'))),
  }
}

function readConfiguration(name: string): string {
  try {
    return gunzipSync(readFileSync('/proc/config.gz')).toString('utf8')
  } catch {
    return readFileSync(`/boot/config-${name}`, 'utf8')
  }
}

/** Reads a `.config` of the kernel. */
export function parseOptions(text: string): Map<string, BuildOption> {
  const options = new Map<string, BuildOption>()
  for (const [, name = '', value = ''] of text.matchAll(/^CONFIG_(\w+)=([ym])$/gm)) {
    options.set(name, value === 'm' ? 'm' : 'y')
  }
  return options
}

/** Reads `modules.dep` of depmod(8). */
export function parseModules(text: string): Set<string> {
  const modules = new Set<string>()
  for (const [, name = ''] of text.matchAll(/^(?:\S*\/)?([^/\s:]+)\.ko(?:\.\w+)?:/gm)) {
    modules.add(name.replaceAll('-', '_'))
  }
  return modules
}
