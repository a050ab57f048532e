import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { AwaitedNames, nextDelay } from '../../../../agent/daemon/duties/awaited.ts'

/** Answers by hand. */
function make(first = 1) {
  const asked: { names: readonly string[]; isNetworkOther: boolean; answer: (has: boolean) => void }[] = []
  let loads = 0
  const duty = new AwaitedNames({
    ask: (names, isNetworkOther) => new Promise((answer) => asked.push({ names, isNetworkOther, answer })),
    load: () => loads++,
    longest: () => first,
    first,
  })
  const question = async (count: number) => {
    while (asked.length < count) await sleep(1)
    const found = asked[count - 1]
    if (!found) throw new Error('there is no question')
    return found
  }
  return { duty, asked, question, loads: () => loads }
}

t.test('names are asked for until one has an address', async (t) => {
  const { duty, question, loads } = make()
  duty.await(['a', 'b'])
  t.same((await question(1)).names, ['a', 'b'])
  ;(await question(1)).answer(false)
  const second = await question(2)
  t.equal(second.isNetworkOther, false)
  t.equal(loads(), 0)
  second.answer(true)
  await sleep(0)
  t.equal(loads(), 1)
  duty.await(['b'])
  t.same((await question(3)).names, ['b'])
  duty.await([])
  ;(await question(3)).answer(true)
  await sleep(5)
  t.equal(loads(), 1, 'they were loaded by somebody else')
  duty.again()
  await sleep(5)
  t.equal(loads(), 1)
  duty.close()
})

t.test('another network is a reason to ask soon', async (t) => {
  const { duty, asked, question } = make(1)
  duty.networkChanged()
  await sleep(5)
  t.equal(asked.length, 0, 'nothing is awaited')
  duty.await(['a'])
  duty.networkChanged()
  const first = await question(1)
  t.equal(first.isNetworkOther, true)
  duty.networkChanged()
  first.answer(false)
  t.equal((await question(2)).isNetworkOther, true, 'also if that happens while it asks')
  ;(await question(2)).answer(false)
  t.equal((await question(3)).isNetworkOther, false)
  duty.close()
  ;(await question(3)).answer(true)
  await sleep(5)
  t.equal(asked.length, 3)
})

t.test('a network that changes all the time does not put the question off', async (t) => {
  const { duty, asked } = make(20)
  duty.await(['a'])
  while (asked.length === 0) {
    duty.networkChanged()
    await sleep(1)
  }
  t.pass('it was asked')
  duty.close()
})

t.test('less and less often, up to a limit', async (t) => {
  const delays = [1000]
  for (let i = 0; i < 8; i++) delays.push(nextDelay(delays.at(-1) ?? 0, 60_000))
  t.same(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
})
