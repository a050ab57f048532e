/** The command line of `solipsec verify`. */
import t from 'tap'
import { interpret, optionTable } from '../../../../../compat/commands/solipsec/verify/arguments.ts'
import { getopt } from '../../../../../compat/commands/support/getopt.ts'

function read(line: string) {
  const { options, operands, error } = getopt(line.split(' ').filter(Boolean), optionTable)
  if (error !== undefined) throw new Error(error)
  return interpret(options, operands)
}

t.test('what is asked for', async (t) => {
  t.same(read('--datapath auto'), {
    request: { seconds: 5, devices: [], isContinuous: false, json: false, dataPath: 'auto' },
  })
  t.match(read('-t 1.5 -i eth0 -i eth1 -i eth0 --json --netns blue'), {
    request: { seconds: 1.5, devices: ['eth0', 'eth1'], json: true, netns: 'blue' },
  })
  t.match(read('--continuous'), {
    request: { isContinuous: true, percent: 5, seconds: Number.POSITIVE_INFINITY },
  })
  t.match(read('--continuous --cpu 0.5 -t 60'), { request: { percent: 0.5, seconds: 60 } })
})

t.test('what cannot be', async (t) => {
  const rows: [line: string, usage: string][] = [
    ['--cpu 5', '--cpu needs --continuous'],
    ['-t 0', "-t wants a number of seconds up to 2000000, not '0'"],
    ['-t 1e9', 'wants a number of seconds'],
    ['-t x', "not 'x'"],
    ['--continuous --cpu 101', "--cpu wants a number of percent up to 100, not '101'"],
    ['--continuous --cpu=-3', 'wants a number of percent'],
    ['-t 1 -t 2', '-t given twice'],
    ['--json --json', '--json given twice'],
    ['eth0', "what is 'eth0'? There are no operands"],
    ['--datapath hardware', 'Invalid data path'],
  ]
  for (const [line, usage] of rows) t.match(read(line), { usage }, line)
})
