/**
 * Starts a built command. Plain JavaScript, for it has to say how to build where nothing is built yet.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** @param {string} command name of a file in compat/commands/ */
export async function launch(command) {
  const built = new URL('../dist/compat/commands/', import.meta.url)
  if (!existsSync(new URL(`${command}.js`, built))) {
    const root = fileURLToPath(new URL('..', import.meta.url))
    console.error(`${command}: not built yet; run: cd ${root} && npm install && npm run build`)
    process.exit(1)
  }
  const [{ main }, { run }] = await Promise.all([
    import(new URL('support/main.js', built).href),
    import(new URL(`${command}.js`, built).href),
  ])
  await main(command, run)
}
