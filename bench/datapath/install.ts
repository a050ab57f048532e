/**
 * Packages that the measurements need, by way of the script `install-peer`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../../bench/datapath/install-peer', import.meta.url))

function install(what: 'measure' | 'peer'): string | undefined {
  const { status, error, stderr } = spawnSync(SCRIPT, [what], { encoding: 'utf8' })
  return status === 0 ? undefined : error?.message || stderr.trim() || `install-peer: exit code ${status}`
}

/** Why there is nothing to measure with, or `undefined` where there is all. Installs it where that is possible. */
export function lackingTools(): string | undefined {
  return install('measure')
}

/** Why strongSwan's data path cannot be had, or `undefined` where it is there. Installs it where that is possible. */
export function lackingPeer(): string | undefined {
  return install('peer')
}
