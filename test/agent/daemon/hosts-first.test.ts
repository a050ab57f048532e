import t from 'tap'
import { hostsFirst } from '../../../agent/daemon/hosts-first.ts'

t.test('names that a file knows are asked for first', async (t) => {
  const hosts = '127.0.0.1 localhost\n192.0.2.1\tGW.example gw # old.example\n#192.0.2.9 off.example\n'
  t.same(hostsFirst(['a', 'gw', 'off.example', 'gw.Example', 'old.example', 'b'], hosts), [
    'gw',
    'gw.Example',
    'a',
    'off.example',
    'old.example',
    'b',
  ])
  t.same(hostsFirst(['b', 'a'], ''), ['b', 'a'])
  t.same(hostsFirst([], hosts), [])
})
