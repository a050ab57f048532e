/**
 * Bundles the built commands: one file to load for a command instead of forty, a third less time to start.
 */
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../dist/compat/commands/', import.meta.url))
const agent = fileURLToPath(new URL('../dist/agent/', import.meta.url))

export default {
  input: {
    main: `${built}support/main.js`,
    ipsecalgs: `${built}ipsecalgs.js`,
    ipsecconf: `${built}ipsecconf.js`,
    ipseckey: `${built}ipseckey.js`,
    ipadm: `${built}ipadm.js`,
    ndd: `${built}ndd.js`,
    solipsec: `${built}solipsec.js`,
    'svc-method': `${built}svc-method.js`,
    svcadm: `${built}svcadm.js`,
    svccfg: `${built}svccfg.js`,
    svcprop: `${built}svcprop.js`,
    svcs: `${built}svcs.js`,
    // Programs that commands start; whoever starts one looks for it beside itself.
    'encap-holder': `${agent}datapath/kernel/encap-holder.js`,
    'latch-holder': `${built}support/latch-holder.js`,
    'name-asker': `${agent}daemon/name-asker.js`,
    'path-service': `${agent}datapath/software/service/path-service.js`,
  },
  platform: 'node',
  // Packages stay where npm puts them.
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  output: { dir: `${built}bundle`, format: 'esm', chunkFileNames: '[name].js', cleanDir: true },
  logLevel: 'warn',
}
