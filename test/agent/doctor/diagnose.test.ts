/** All checks together. */
import t from 'tap'
import { diagnose, tally } from '../../../agent/doctor/diagnose.ts'
import { GROUPS } from '../../../agent/doctor/finding.ts'
import { untried } from '../../../agent/doctor/known.ts'
import { capabilityNames } from '../../../netlink/libc/capabilities.ts'
import { bad, GOOD, host } from './hosts.ts'

t.test('a good host has no findings but good ones, of each group', async (t) => {
  const findings = diagnose(GOOD)
  t.same(bad(findings), [])
  t.same(tally(findings), { ok: findings.length, note: 0, warning: 0, problem: 0 })
  t.same([...new Set(findings.map(({ group }) => group))], [...GROUPS])
})

t.test('what is bad has a way out, and every meaning is a sentence', async (t) => {
  const unknown = { unknown: 'not permitted (EPERM)' }
  const why = untried('not permitted (EPERM)')
  const blind = host({
    privileges: { isRoot: false, capabilities: new Set(), lockdown: unknown },
    abilities: { xfrm: why, algorithms: GOOD.abilities.algorithms.map((one) => ({ ...one, kernel: why })) },
    software: { steering: why, marking: why, tun: why },
    speed: { hasAesInstructions: unknown, drivers: unknown, isFips: unknown },
    interfaces: unknown,
    policies: { kernel: unknown, defaults: unknown, losses: unknown },
    sockets: { pfKey: why, listeners: unknown },
    folders: [{ path: '/run/solipsec', purpose: 'run', found: unknown }],
    clock: { isSynchronised: unknown },
    memory: { availableBytes: unknown },
  })
  // Without `features`, as where XFRM could not be tried.
  const { features: _, ...abilities } = blind.abilities
  const findings = diagnose({ ...blind, abilities })
  for (const { meaning, state, wayOut, isKnown, subject } of findings) {
    t.match(meaning, /^[A-Z0-9].*[.]$/, subject)
    if (state === 'warning' || state === 'problem') t.ok(wayOut.length > 0, subject)
    if (!isKnown) t.equal(state, 'note', `${subject}: nothing is claimed`)
  }
  t.same([tally(findings).warning, tally(findings).problem], [0, 0])
  const seen = findings.filter(({ isKnown }) => !isKnown).length
  t.equal(seen, 20)
  t.equal(findings.filter(({ check }) => check === 'capability').length, capabilityNames.length)
})
