/** The command line of `solipsec snoop`. */
import t from 'tap'
import { interpret, optionTable } from '../../../../../compat/commands/solipsec/snoop/arguments.ts'
import { getopt } from '../../../../../compat/commands/support/getopt.ts'

function read(line: string) {
  const { options, operands, error } = getopt(line.split(' ').filter(Boolean), optionTable)
  if (error !== undefined) throw new Error(error)
  return interpret(options, operands)
}

t.test('what is asked for', async (t) => {
  t.match(read(''), {
    request: { input: { kind: 'live' }, isTextWanted: true, style: 'summary', expression: '' },
  })
  t.match(read('-i eth0 -P host a and port 5'), {
    request: {
      input: { kind: 'live', device: 'eth0' },
      isPromiscuous: false,
      expression: 'host a and port 5',
    },
  })
  t.match(read('-r f -w g'), {
    request: { input: { kind: 'file', file: 'f' }, isTextWanted: false, output: 'g' },
  })
  t.match(read('-r f -w g -x 0'), { request: { isTextWanted: true, hexadecimal: { offset: 0 } } })
  t.match(read('-r f -x 14,20 -p 3'), {
    request: { hexadecimal: { offset: 14, length: 20 }, first: 3, last: 3 },
  })
  t.match(read('-r f -p 3,9 -c 2'), { request: { first: 3, last: 9, count: 2, time: 'delta' } })
  t.match(read('-t a -s 96'), { request: { time: 'absolute', snapLength: 96 } })
  t.match(read('--wireshark f'), { request: { input: { kind: 'none' } } })
  t.match(read('--wireshark f -i lo'), { request: { input: { kind: 'live' }, wireshark: 'f' } })
  t.match(read('--wireshark f esp'), { request: { input: { kind: 'live' } } })
  t.match(read('-k f'), { request: { keys: { kind: 'file', file: 'f' } } })
  t.match(read('--no-keys'), { request: { keys: { kind: 'none' } } })
  t.match(read('--datapath software'), { request: { keys: { kind: 'running', dataPath: 'software' } } })
})

t.test('what cannot be', async (t) => {
  for (const [line, usage] of [
    ['-r a -r b', '-r given twice'],
    ['-r a -i b', '-r and -i cannot go together'],
    ['-P -r a', '-r and -P cannot go together'],
    ['-r a -s 96', '-r and -s cannot go together'],
    ['-r a -D', '-r and -D cannot go together'],
    ['-w -', '-w wants a file, not standard output; ./- is a file of that name'],
    ['-V -v', '-V and -v cannot go together'],
    ['-q -v', '-q and -v cannot go together'],
    ['-k a --no-keys', '-k and --no-keys cannot go together'],
    ['--wireshark a --no-keys', '--wireshark and --no-keys cannot go together'],
    ['-p 1', '-p needs -r FILE'],
    ['-r a -p 5,2', '-p: 5 comes after 2'],
    ['-r a -p 0', "-p wants a whole number from 1 on, not '0'"],
    ['-r a -p 1,2,3', '-p wants FIRST or FIRST,LAST'],
    ['-c x', "-c wants a whole number from 1 on, not 'x'"],
    ['-x -1', "-x wants a whole number from 0 on, not '-1'"],
    ['-x 1,2,3', '-x wants OFFSET or OFFSET,LENGTH'],
    ['-t x', "-t wants r (relative), a (absolute) or d (delta), not 'x'"],
    ['--datapath x', "Invalid data path: expected 'auto', 'kernel' or 'software'."],
  ] as const)
    t.same(read(line), { usage }, line)
})
