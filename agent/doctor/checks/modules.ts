/**
 * The way to a part of the kernel that is not there: which module, which option, which package.
 *
 * @module
 */
import type { KernelFacts } from '../facts/kernel.ts'
import { knownValue } from '../known.ts'

/** A part of the kernel: its module, and the option of the build without `CONFIG_`. */
export interface KernelPart {
  readonly module: string
  readonly option: string
}

/** What to do where the kernel did not load the part by itself, though it was asked for it. */
export function wayToPart({ module, option }: KernelPart, kernel: KernelFacts): string[] {
  const { release } = kernel
  const modules = knownValue(kernel.modules)
  const options = knownValue(kernel.options)
  const built = options && (options.get(option) ?? 'n')
  if (modules?.has(module)) {
    return [
      `modprobe ${module}`,
      `where it is refused, look for it in /etc/modprobe.d: grep -rw ${module} /etc/modprobe.d /lib/modprobe.d`,
    ]
  }
  if (built === 'n') {
    return [
      `boot a kernel that was built with CONFIG_${option}: this one was not; those of distributions are`,
    ]
  }
  if (built === 'm') {
    return [
      `install the modules of ${release} and load ${module}; packages: linux-image-${release} (Debian), ` +
        `linux-modules-extra-${release} (Ubuntu), kernel-modules-extra (Fedora, RHEL)`,
      `in a container: modprobe ${module} on the host`,
    ]
  }
  if (built === 'y') return []
  return [`modprobe ${module} (CONFIG_${option}); in a container, on the host`]
}
