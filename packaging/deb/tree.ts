/**
 * Files of the package on their way there.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** Regular files below a folder, sorted; links are left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** As `gzip -9n`: without a time, so that the same text gives the same bytes. */
export function compressed(contents: Uint8Array): Uint8Array {
  return gzipSync(contents, { level: 9 })
}
