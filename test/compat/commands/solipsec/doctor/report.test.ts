/** The command line of `solipsec doctor`, and what it prints. */
import t from 'tap'
import { diagnose } from '../../../../../agent/doctor/diagnose.ts'
import { interpret, optionTable } from '../../../../../compat/commands/solipsec/doctor/arguments.ts'
import { reportJson } from '../../../../../compat/commands/solipsec/doctor/json-report.ts'
import { reportText } from '../../../../../compat/commands/solipsec/doctor/text-report.ts'
import { getopt } from '../../../../../compat/commands/support/getopt.ts'
import { bareKernel, GOOD, hostWith } from '../../../../agent/doctor/hosts.ts'
import { violations } from '../../../../schemas/support.ts'

const plain = { isVerbose: false, hasColour: false }

t.test('arguments', async (t) => {
  const read = (...argv: string[]) => {
    const { options, operands } = getopt(argv, optionTable)
    return interpret(options, operands)
  }
  t.same(read(), { request: { json: false, isVerbose: false } })
  t.same(read('-v', '--json', '--netns', 'blue'), { request: { json: true, isVerbose: true, netns: 'blue' } })
  t.match(read('eth0'), { usage: /what is 'eth0'/ })
})

t.test('nothing wrong', async (t) => {
  const findings = diagnose(GOOD)
  const text = reportText(findings, plain)
  t.match(text, /^HOST {2}\d+ ok\n\nPRIVILEGES {2}6 ok\n/)
  t.ok(text.endsWith(`\nNothing is wrong.\n${findings.length} ok\n`), text)
  const all = reportText(findings, { ...plain, isVerbose: true })
  t.match(
    all,
    '\n  ok       CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_SYS_PTRACE\n           This process has it.\n',
  )
})

t.test('the worst last, one meaning once, a summary', async (t) => {
  const facts = {
    ...bareKernel(),
    settings: hostWith({ 'ipv4/conf/eth0/disable_xfrm': 1, 'core/xfrm_larval_drop': 0 }).settings,
  }
  const text = reportText(diagnose(facts), plain)
  t.match(
    text,
    /\n {2}WARNING {2}ESP for IPv4, AH for IPv4, ESP for IPv6, AH for IPv6\n {11}The kernel does not/,
  )
  t.ok(
    text.indexOf('  note     net.core.xfrm_larval_drop') <
      text.indexOf('  PROBLEM  net.ipv4.conf.eth0.disable_xfrm'),
  )
  t.match(text, '\n           help: sysctl -w net.ipv4.conf.eth0.disable_xfrm=0\n')
  t.match(
    text,
    /\n1 problem: net\.ipv4\.conf\.eth0\.disable_xfrm\n4 warnings: ESP for IPv4, .*\n1 note, \d+ ok, 6 not looked at \(marked \?\)\n$/,
  )
  t.match(text, /\n {2}\? {8}tunnel mode \(IPv4\)/)
  t.notMatch(text, '\x1b')
})

t.test('colours, and names that would write to the terminal', async (t) => {
  t.match(reportText(diagnose(GOOD), { isVerbose: true, hasColour: true }), '\x1b[32mok       \x1b[0m')
  const facts = hostWith({ 'ipv4/conf/e\x1b[2J/disable_xfrm': 1 })
  t.match(reportText(diagnose(facts), plain), 'conf.e\ufffd[2J.disable_xfrm')
})

t.test('JSON is as its schema says', async (t) => {
  for (const facts of [GOOD, bareKernel()]) {
    const json = reportJson(diagnose(facts))
    t.same(violations('solipsec-doctor.schema.json', json), [])
    t.equal(JSON.parse(json).counts.problem, 0)
  }
  const broken = reportJson(diagnose(GOOD)).replace('"ok"', '"fine"')
  t.not(violations('solipsec-doctor.schema.json', broken).length, 0)
})
