import fc from 'fast-check'
import t from 'tap'
import { isUnitName, unitOfCgroups, unitOfPath } from '../../../agent/model/unit.ts'
import { times } from '../../support/fuzz.ts'

t.test('paths', async (t) => {
  const units: [path: string, unit: string | undefined][] = [
    ['/system.slice/postgresql.service', 'postgresql.service'],
    ['/system.slice/postgresql.service/worker/1', 'postgresql.service'],
    ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
    ['/user.slice/user-1000.slice/session-3.scope', 'session-3.scope'],
    ['/init.scope', 'init.scope'],
    ['/system.slice/_cpu.service', 'cpu.service'],
    ['/system.slice/dev-disk-by\\x2duuid.mount', 'dev-disk-by\\x2duuid.mount'],
    // What a user calls his own is no unit of the system.
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/postgresql.service', 'user@1000.service'],
    ['/system.slice/docker-1f.scope/system.slice/postgresql.service', 'docker-1f.scope'],
    ['/lxc.payload.guest/system.slice/postgresql.service', undefined],
    ['/../system.slice/postgresql.service', undefined],
    ['/system.slice/postgresql.service (deleted)', undefined],
    ['/system.slice', undefined],
    ['/', undefined],
    ['', undefined],
  ]
  for (const [path, unit] of units) t.equal(unitOfPath(path), unit, path)
})

t.test('both versions of cgroups', async (t) => {
  t.equal(unitOfCgroups('0::/system.slice/a.service\n'), 'a.service')
  t.equal(unitOfCgroups('9:name=systemd:/system.slice/b.service\n8:pids:/c.service\n0::/\n'), 'b.service')
  t.equal(unitOfCgroups('1:name=systemd:/b.service\n0::/system.slice/a.service\n'), 'a.service')
  t.equal(unitOfCgroups('4:memory:/system.slice/a.service\n'), undefined)
  t.equal(unitOfCgroups(''), undefined)
})

t.test('names', async (t) => {
  for (const name of ['a.service', 'a@b.socket', 'run-r1.scope']) t.ok(isUnitName(name), name)
  for (const name of ['a', 'system.slice', '.service', 'a b.service', 'a/b.service', '']) {
    t.notOk(isUnitName(name), name)
  }
})

t.test('property: the unit is the first that is no slice, whatever lies below', async () => {
  const word = fc.stringMatching(/^[a-z0-9:@.-]{1,12}$/)
  const slices = fc.array(
    word.map((text) => `${text}.slice`),
    { maxLength: 4 },
  )
  const below = fc.array(
    fc.oneof(
      word,
      word.map((text) => `${text}.service`),
    ),
    { maxLength: 4 },
  )
  const unit = fc.tuple(word, fc.constantFrom('service', 'socket', 'scope')).map((parts) => parts.join('.'))
  fc.assert(
    fc.property(slices, unit, below, (above, name, rest) => {
      return unitOfCgroups(`0::/${[...above, name, ...rest].join('/')}\n`) === name
    }),
    times(500),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const found = unitOfCgroups(text)
      return found === undefined || isUnitName(found)
    }),
    times(500),
  )
})
