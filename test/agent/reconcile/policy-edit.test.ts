import fc from 'fast-check'
import t from 'tap'
import { formatPrefix } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import {
  appendRules,
  emptyState,
  findByIndex,
  flushRules,
  removeMatching,
  removeRule,
  replaceRules,
  type Scope,
} from '../../../agent/reconcile/policy-edit.ts'
import {
  decodeState,
  encodeState,
  entriesOf,
  type PolicyState,
  placedRules,
  shownIndex,
} from '../../../agent/reconcile/policy-state.ts'
import { rule as modelRule } from '../../compat/solaris/ipsecconf/arbitraries.ts'
import { rulesOf } from '../../compat/solaris/ipsecconf/support.ts'

const EMPTY = emptyState(0xff00_0000)
const ALL: Scope = { kind: 'all' }
const HOST: Scope = { kind: 'host' }

const rules = fc.array(modelRule, { maxLength: 8 })

/** What a rule says, as a text. */
function meaningOf({ selector, direction, tunnel, actions }: Rule): string {
  const ends = selector.pairs.map(({ local, remote }) =>
    [local, remote].map((end) => end && formatPrefix(end)),
  )
  return JSON.stringify([{ ...selector, pairs: ends }, direction, tunnel, actions])
}

/** What must hold of every state: positions rise, and no index number is there twice. */
function isSound(state: PolicyState): boolean {
  const positions = placedRules(state).map(({ position }) => position)
  const indices = state.rules.flatMap(entriesOf).map(({ index }) => index)
  return (
    positions.every((one, i) => one > (positions[i - 1] ?? 0)) &&
    new Set(indices).size === indices.length &&
    indices.every((index) => index >= 1 && index < state.nextIndex)
  )
}

const texts = (state: PolicyState) => state.rules.map(({ rule }) => meaningOf(rule)).join('\n')
const meanings = (all: readonly Rule[]) => all.map(meaningOf).join('\n')

t.test('property: edits keep states sound, and rules in order', async () => {
  fc.assert(
    fc.property(rules, rules, rules, (first, second, third) => {
      const one = appendRules(EMPTY, first)
      const two = appendRules(one, second)
      const three = replaceRules(two, third, ALL)
      return (
        [one, two, three].every(isSound) &&
        texts(two) === meanings([...first, ...second]) &&
        texts(three) === meanings(third) &&
        two.rules
          .slice(0, one.rules.length)
          .every(
            (loaded, i) =>
              loaded.placements === one.rules[i]?.placements ||
              JSON.stringify(loaded.placements) === JSON.stringify(one.rules[i]?.placements),
          ) &&
        three.nextIndex >= two.nextIndex
      )
    }),
  )
})

t.test('property: to replace by the same is to change nothing', async () => {
  fc.assert(
    fc.property(rules, (all) => {
      const state = appendRules(EMPTY, all)
      const again = replaceRules(
        state,
        all.map((rule) => structuredClone(rule)),
        ALL,
      )
      return encodeState(again) === encodeState(state)
    }),
  )
})

t.test('property: a replaced scope leaves the others alone', async () => {
  fc.assert(
    fc.property(rules, rules, (all, fresh) => {
      const state = appendRules(EMPTY, all)
      const hostRules = fresh.filter(({ tunnel }) => !tunnel)
      const next = replaceRules(state, hostRules, HOST)
      const tunnels = all.filter(({ tunnel }) => tunnel)
      return (
        isSound(next) &&
        meanings(next.rules.flatMap(({ rule }) => (rule.tunnel ? [rule] : []))) === meanings(tunnels) &&
        meanings(next.rules.flatMap(({ rule }) => (rule.tunnel ? [] : [rule]))) === meanings(hostRules) &&
        texts(flushRules(state, HOST)) === meanings(tunnels)
      )
    }),
  )
})

t.test('property: a state survives being written and read', async () => {
  fc.assert(
    fc.property(rules, fc.nat(), (all, forwardedMark) => {
      const netfilter = { ...EMPTY.netfilter, forwardedMark }
      const state = { ...appendRules(EMPTY, all), netfilter }
      const read = decodeState(encodeState(state))
      t.same(read.netfilter, netfilter)
      return encodeState(read) === encodeState(state) && texts(read) === texts(state) && isSound(read)
    }),
  )
})

/** A state file without rules, but for `parts`. */
function stored(parts: object): string {
  return JSON.stringify({ ...JSON.parse(encodeState(EMPTY)), ...parts })
}

t.test('states that cannot be read', async (t) => {
  for (const text of [
    '',
    '{',
    '{}',
    '{"version":99,"rules":[]}',
    stored({ prefixes: ['x/1'] }),
    stored({ texts: ['{} drop {}'] }),
    stored({ texts: ['{} drop {}'], numbers: [0, 1, 1, 1, 0] }),
    stored({ numbers: [0, 1, 1, 1, 0] }),
  ])
    t.throws(() => decodeState(text), text)
})

t.test('how a rule is written does not matter', async (t) => {
  const [one] = rulesOf('{laddr 192.0.2.1 ulp tcp} ipsec {encr_algs aes encr_auth_algs sha1}\n')
  const same = rulesOf(
    '{ ulp 6   local 192.0.2.1/32 } ipsec { encr_auth_algs hmac-sha1 encr_algs aes-cbc sa shared }  # again\n',
  )
  const other = rulesOf('{laddr 192.0.2.1 ulp udp} ipsec {encr_algs aes encr_auth_algs sha1}\n')
  if (!one) throw new Error('one rule')
  const state = appendRules(EMPTY, [one])
  t.equal(removeMatching(state, other).rules.length, 1)
  t.equal(removeMatching(state, same).rules.length, 0)
  t.same(replaceRules(state, same, ALL).rules[0]?.placements, state.rules[0]?.placements)
})

t.test('index numbers: by entry, shown by the last, found and removed', async (t) => {
  const [any, one, drop] = rulesOf(
    '{lport 22 dir both} pass {}\n{raddr 192.0.2.1} ipsec {auth_algs sha1}\n{raddr 192.0.2.2 dir in} drop {}\n',
  )
  if (!any || !one || !drop) throw new Error('three rules')
  const state = appendRules(EMPTY, [any, one, drop])
  t.same(state.rules.map(shownIndex), [4, 6, 7])
  const [first] = state.rules
  t.same(first && entriesOf(first).map(({ index, direction, family }) => [index, direction, family]), [
    [1, 'out', 'inet'],
    [2, 'out', 'inet6'],
    [3, 'in', 'inet'],
    [4, 'in', 'inet6'],
  ])
  t.equal(findByIndex(state, 5), state.rules[1])
  t.equal(findByIndex(state, 8), undefined)
  t.equal(findByIndex(state, 1, 'tun0'), undefined)
  const second = findByIndex(state, 6)
  if (!second) throw new Error('rule 6')
  const without = removeRule(state, second)
  t.same(without.rules.map(shownIndex), [4, 7])
  t.same(appendRules(without, [one]).rules.map(shownIndex), [4, 7, 9], 'numbers are not used again')
  t.same(removeMatching(state, rulesOf('{lport 22 dir both} bypass {}\n')).rules.map(shownIndex), [6, 7])
})
