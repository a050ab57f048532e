/**
 * The service for policies of sockets as a process of its own, in the namespace that it is started in.
 *
 * Arguments: the path to listen at, tunables that are on (`override`), and `unit:NAME` for a unit whose sockets the
 * configuration wants protected by AES-256. Says `ready`, and how many sockets it knows
 * for each line that it reads.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import { defaultAlgorithmTable } from '../../agent/model/default-algorithms.ts'
import { Session } from '../../agent/reconcile/session.ts'
import { startSocketService } from '../../agent/sockets/service.ts'
import { socketPolicyReader } from '../../compat/configuration/socket-policy.ts'
import * as resolver from '../../netlink/libc/names.ts'

const [path = '', ...words] = process.argv.slice(2)
const algorithms = defaultAlgorithmTable
const patience = Number(words.find((word) => /^[0-9]+$/.test(word)) ?? 600_000)
const readPolicy = socketPolicyReader({ algorithms, resolver })
const protect = readPolicy({ protect: { encryption: 'aes(256)', authentication: 'sha256' } })
const configured = 'demand' in protect ? protect.demand : undefined
const service = startSocketService({
  path,
  between: async (use) => {
    const session = Session.open(algorithms)
    try {
      return use(session)
    } finally {
      session.close()
    }
  },
  algorithms: () => algorithms,
  readPolicy,
  policyOf: (unit) => (words.includes(`unit:${unit}`) ? configured : undefined),
  tunables: () => ({ overrideSocketPolicy: words.includes('override') }),
  patience,
  report: (error) => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
})
process.stdout.write('ready\n')
const lines = createInterface({ input: process.stdin })
lines.on('line', () => process.stdout.write(`${service.sockets}\n`))
lines.on('close', () => {
  service.close()
  process.exit(0)
})
