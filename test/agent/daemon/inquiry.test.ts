import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type Ask, askPatiently, askSystem, Inquiry, type Question } from '../../../agent/daemon/inquiry.ts'
import { type Address, formatAddress, parseAddress } from '../../../agent/model/address.ts'

const addresses = (...texts: string[]) => texts.flatMap((text) => parseAddress(text) ?? [])
/** A label has 63 characters at most: nobody has to be asked. */
const UNKNOWN = 'x'.repeat(64)
/** So long that a test would not wait for it. */
const LONG = 1e6

/** Questions that the test answers. */
class Questions {
  readonly all: {
    readonly names: readonly string[]
    readonly tell: (name: string, found: readonly Address[]) => void
    readonly begin: () => void
    readonly end: () => void
    isStopped: boolean
  }[] = []
  /** It takes time until a question is asked: the test says when. */
  isSlow = false

  readonly ask: Ask = (names, tell): Question => {
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    let begin = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    if (!this.isSlow) begin()
    const one = { names, tell, begin, end, isStopped: false }
    this.all.push(one)
    const stop = () => {
      one.isStopped = true
      end()
    }
    return { begun, ended, stop }
  }

  at(index: number) {
    const one = this.all[index]
    if (!one) throw new Error(`there is no question ${index}`)
    return one
  }
}

function make() {
  const questions = new Questions()
  const inquiry = new Inquiry(questions.ask)
  const texts = (name: string) => inquiry.addressesOf(name).map(formatAddress)
  return { questions, inquiry, texts }
}

t.test('it waits until all have answered', async (t) => {
  const { questions, inquiry, texts } = make()
  const asked = inquiry.ask(['a', 'b'], LONG)
  questions.at(0).tell('a', addresses('192.0.2.1', '2001:db8::1'))
  t.same(texts('a'), ['192.0.2.1', '2001:db8::1'])
  questions.at(0).tell('b', [])
  await asked
  t.same(texts('b'), [])
  t.same(questions.at(0).names, ['a', 'b'])
  await inquiry.ask([], LONG)
  t.equal(questions.all.length, 1, 'nothing is asked where there is nothing to ask for')
})

t.test('or the question has ended', async (t) => {
  const { questions, inquiry, texts } = make()
  const asked = inquiry.ask(['a', 'b'], LONG)
  questions.at(0).end()
  await asked
  t.same(texts('a'), [])
  const again = inquiry.ask(['a'], LONG)
  questions.at(1).tell('a', addresses('192.0.2.1'))
  await again
  t.same(texts('a'), ['192.0.2.1'])
})

t.test('it does not wait for ever, and what comes later counts', async (t) => {
  const { questions, inquiry, texts } = make()
  await inquiry.ask(['a', 'b'], 1)
  t.same(texts('a'), [])
  await inquiry.ask(['b', 'a'], 0)
  t.equal(questions.all.length, 1, 'what is asked for is not asked for again')
  await inquiry.ask(['b', 'c'], 1)
  t.same(questions.at(1).names, ['c'], 'but what is new is')
  questions.at(0).tell('a', addresses('192.0.2.1'))
  t.same(texts('a'), ['192.0.2.1'])
  const last = inquiry.ask(['a'], LONG)
  t.same(questions.at(2).names, ['a'], 'what has been answered may be asked for again')
  questions.at(2).end()
  await last
  t.same(texts('a'), ['192.0.2.1'], 'no answer is no news')
  inquiry.forget()
  t.same(texts('a'), [])
  inquiry.close()
  t.same(
    questions.all.map(({ isStopped }) => isStopped),
    [true, true, false],
  )
})

t.test('it waits from when the question is asked', async (t) => {
  const { questions, inquiry } = make()
  questions.isSlow = true
  let isDone = false
  const asked = inquiry.ask(['a'], 1).then(() => {
    isDone = true
  })
  await sleep(20)
  t.notOk(isDone)
  questions.at(0).begin()
  await asked
  inquiry.close()
})

t.test('with another network, what was asked for in vain is asked for again', async (t) => {
  const { questions, inquiry } = make()
  await inquiry.ask(['a', 'b'], 1)
  const asked = inquiry.ask(['a'], -1, true)
  t.ok(questions.at(0).isStopped)
  t.same(questions.at(1).names, ['a'])
  await asked
  questions.at(0).tell('a', [])
  await inquiry.ask(['a'], 0)
  t.equal(questions.all.length, 2, 'the old question has nothing to say any more')
  inquiry.close()
})

t.test('the system answers', async (t) => {
  const found = new Map<string, string[]>()
  const question = askSystem(['localhost', UNKNOWN], (name, of) => found.set(name, of.map(formatAddress)))
  await question.ended
  t.ok(found.get('localhost')?.some((text) => ['127.0.0.1', '::1'].includes(text)))
  t.same(found.get(UNKNOWN), [])
  const stopped = askSystem(['localhost'], () => {})
  stopped.stop()
  await stopped.ended
})

t.test('a program that says nothing for too long is ended', async (t) => {
  const told: string[] = []
  // None is there as soon as that.
  const question = askPatiently([UNKNOWN], (name) => told.push(name), 1)
  await question.ended
  t.same(told, [])
})
