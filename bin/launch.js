/**
 * Starts a built command. Plain JavaScript, for it has to say how to build where nothing is built yet.
 */
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const built = new URL('../dist/compat/commands/', import.meta.url)

/** @param {string} command name of a file in compat/commands/ */
export async function launch(command) {
  const module = new URL(`${command}.js`, built)
  const bundled = new URL(`bundle/${command}.js`, built)
  const [modified, bundledAt] = [builtAt(module), builtAt(bundled)]
  if (Number.isNaN(modified) && Number.isNaN(bundledAt)) {
    const root = fileURLToPath(new URL('..', import.meta.url))
    console.error(`${command}: not built yet; run: cd ${root} && npm install && npm run build`)
    process.exit(1)
  }
  // A bundle that is older than the modules is from an earlier build. The Debian package has bundles alone.
  const current = Number.isNaN(modified) || bundledAt >= modified
  const [{ main }, { run }] = await Promise.all([
    import(new URL(current ? 'bundle/main.js' : 'support/main.js', built).href),
    import((current ? bundled : module).href),
  ])
  await main(command, run)
}

/** @returns time of the last change in milliseconds, NaN where there is no such file */
function builtAt(url) {
  return statSync(url, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN
}
