import t from 'tap'
import { type AgentSettings, Loading } from '../../../agent/daemon/loading.ts'
import { defaultAlgorithmTable as algorithms } from '../../../agent/model/default-algorithms.ts'

const INITIAL: AgentSettings = { algorithms, drift: 'enforce' }
const LOADED: AgentSettings = { algorithms, drift: 'report' }
const HOPEFUL = 'no tunnel'

/** @param outcomes of each load: settings, or why there are none */
function loadingOf(...outcomes: (AgentSettings | string)[]) {
  const told: string[] = []
  const loading = new Loading({
    load: async () => {
      const next = outcomes.shift()
      if (next === undefined || typeof next === 'string') throw new Error(next)
      return next
    },
    initial: INITIAL,
    mayComeRight: (error) => (error as Error).message === HOPEFUL,
    tell: ({ event }) => told.push(event),
    describe: (error) => (error as Error).message,
  })
  return { loading, told }
}

t.test('at the start, what may come right is waited for, and nothing else', async (t) => {
  const bad = loadingOf('syntax')
  await t.rejects(bad.loading.begin(), { message: 'syntax' })
  t.same(bad.told, [])
  const { loading, told } = loadingOf(HOPEFUL)
  await loading.begin()
  t.match(loading, { settings: INITIAL, problem: HOPEFUL, isAwaiting: true })
  t.same(told, ['maintenance'])
})

t.test('where it cannot be loaded again, what was loaded stays', async (t) => {
  const { loading, told } = loadingOf(LOADED, 'syntax', INITIAL)
  await loading.begin()
  t.match(loading, { settings: LOADED, isAwaiting: false })
  t.equal(loading.problem, undefined)
  const used: AgentSettings[] = []
  await loading.again((settings) => used.push(settings))
  t.match(loading, { settings: LOADED, problem: 'syntax', isAwaiting: false })
  await loading.again((settings) => used.push(settings))
  t.equal(loading.settings, INITIAL)
  t.equal(loading.problem, undefined)
  t.same(used, [INITIAL])
  t.same(told, ['maintenance', 'reloaded'])
})

t.test('what is waited for is told once; what somebody has to mend, whenever it was tried', async (t) => {
  const { loading, told } = loadingOf(HOPEFUL, HOPEFUL, 'syntax', 'syntax', LOADED)
  const again = () => loading.again(() => {})
  await loading.begin()
  await again()
  t.same(told.splice(0), ['maintenance'])
  await again()
  await again()
  t.same(told.splice(0), ['maintenance', 'maintenance'])
  await again()
  t.same(told, ['reloaded'])
  t.notOk(loading.isAwaiting)
})

t.test('what is done with it counts as loading', async (t) => {
  const { loading } = loadingOf(LOADED, LOADED)
  await loading.begin()
  await loading.again(() => {
    throw new Error('no space')
  })
  t.equal(loading.problem, 'no space')
})
