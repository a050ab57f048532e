import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type AgentSettings, type Awaited, Loading } from '../../../agent/daemon/loading.ts'
import { defaultAlgorithmTable as algorithms } from '../../../agent/model/default-algorithms.ts'

const INITIAL: AgentSettings = { algorithms, drift: 'enforce' }
const READ: AgentSettings = { algorithms, drift: 'report', ageInterval: 1 }
const LOADED: AgentSettings = { algorithms, drift: 'report' }
const PART: AgentSettings = { algorithms, drift: 'report', sockets: [] }

const AWAITED: Readonly<Record<string, Awaited>> = {
  'no tunnel': { isTunnel: true, names: [] },
  busy: { isTunnel: false, names: [], passing: 'others' },
  refused: { isTunnel: false, names: [], passing: 'system' },
  'no name': { isTunnel: false, names: ['a'] },
  'no tunnel, but the rest': { isTunnel: true, names: [], settings: PART },
}

/** @param outcomes of each load: settings, or why there are none */
function loadingOf(t: Pick<Test, 'teardown'>, ...outcomes: (AgentSettings | string)[]) {
  const told: string[] = []
  const used: AgentSettings[] = []
  let isRead = false
  const options = {
    load: async () => {
      isRead = true
      const next = outcomes.shift()
      if (next === undefined || typeof next === 'string') throw new Error(next)
      return next
    },
    initial: () => (isRead ? READ : INITIAL),
    awaited: (error: unknown) => AWAITED[(error as Error).message],
    ask: async () => {
      told.push('asked')
      return true
    },
    tell: ({ event }: { event: string }) => told.push(event),
    describe: (error: unknown) => (error as Error).message,
  }
  const loading = new Loading(options, {
    use: (settings) => {
      if (settings.ageInterval === 0) throw new Error('no space')
      used.push(settings)
    },
    again: () => told.push('again'),
  })
  t.teardown(() => loading.close())
  return { loading, told, used }
}

t.test('at the start, what may come right is waited for, and nothing else', async (t) => {
  const bad = loadingOf(t, 'syntax')
  await t.rejects(bad.loading.begin(), { message: 'syntax' })
  t.same(bad.told, [])
  const { loading, told, used } = loadingOf(t, 'no tunnel')
  await loading.begin()
  t.match(loading, { settings: READ, problem: 'no tunnel' }, 'what was read holds, where nothing was loaded')
  t.ok(loading.networkChanged())
  t.same(told, ['maintenance'])
  t.same(used, [READ])
})

t.test('a part of it holds while the rest is waited for', async (t) => {
  const { loading, used } = loadingOf(t, 'no tunnel, but the rest', LOADED)
  await loading.begin()
  t.match(loading, { settings: PART, problem: 'no tunnel, but the rest' })
  await loading.again()
  t.equal(loading.settings, LOADED)
  t.same(used, [PART, LOADED])
})

t.test('where it cannot be loaded again, what was loaded stays', async (t) => {
  const { loading, told, used } = loadingOf(t, LOADED, 'syntax', INITIAL)
  await loading.begin()
  t.equal(loading.settings, LOADED)
  t.equal(loading.problem, undefined)
  await loading.again()
  t.match(loading, { settings: LOADED, problem: 'syntax' })
  t.notOk(loading.networkChanged())
  await loading.again()
  t.equal(loading.settings, INITIAL)
  t.equal(loading.problem, undefined)
  t.same(used, [LOADED, INITIAL])
  t.same(told, ['maintenance', 'reloaded'])
})

t.test('what is waited for is told once; what somebody has to mend, whenever it was tried', async (t) => {
  const { loading, told } = loadingOf(t, 'no tunnel', 'no tunnel', 'syntax', 'syntax', LOADED)
  await loading.begin()
  await loading.again()
  t.same(told.splice(0), ['maintenance'])
  await loading.again()
  await loading.again()
  t.same(told.splice(0), ['maintenance', 'maintenance'])
  await loading.again()
  t.same(told, ['reloaded'])
  t.notOk(loading.networkChanged())
})

t.test('what is done with it counts as loading', async (t) => {
  const { loading } = loadingOf(t, LOADED, { ...LOADED, ageInterval: 0 })
  await loading.begin()
  await loading.again()
  t.equal(loading.problem, 'no space')
})

t.test('what is in the way for a moment changes nothing of what is waited for', async (t) => {
  const refused = loadingOf(t, 'refused')
  await t.rejects(
    refused.loading.begin(),
    { message: 'refused' },
    'at the start, who may not is not to try on',
  )
  const first = loadingOf(t, 'busy')
  await first.loading.begin()
  t.equal(first.loading.problem, 'busy')
  while (!first.told.includes('again')) await sleep(10)
  const { loading, told } = loadingOf(t, 'no tunnel', 'busy', 'refused', 'refused', 'no name', 'busy', LOADED)
  await loading.begin()
  told.length = 0
  await loading.again()
  await loading.again()
  told.length = 0
  t.ok(loading.networkChanged())
  t.equal(loading.problem, 'refused')
  while (!told.includes('again')) await sleep(10)
  await loading.again()
  t.same(told.splice(0), ['again'], 'told once')
  await loading.again()
  await loading.again()
  told.length = 0
  while (!told.includes('asked')) await sleep(10)
  await loading.again()
  t.equal(loading.problem, undefined)
  told.length = 0
  await sleep(50)
  t.same(told, [])
})
