/**
 * Texts of as many pieces as one asks for, by what they are made of: lines, words in a line, members, brackets. Some are
 * right, some are wrong in each piece, and where that can matter each piece is another one.
 *
 * @module
 */
import { KEY_128, KEY_256 } from '../configuration/support.ts'

/** Makes a text of so many pieces. */
export type Growing = Readonly<Record<string, (count: number) => string>>

/** One piece after the other; each knows its number. */
function many(piece: (index: number) => string, between = ''): (count: number) => string {
  return (count) => Array.from({ length: count }, (_, index) => piece(index)).join(between)
}

function within(head: string, inner: (count: number) => string, tail: string): (count: number) => string {
  return (count) => `${head}${inner(count)}${tail}`
}

const nested = (open: string, middle: string, close: string) => (count: number) =>
  `${open.repeat(count)}${middle}${close.repeat(count)}`

/** Another address for each number below 2 ** 24. */
const host = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`

export const POLICIES: Growing = {
  'wrong lines': many(() => 'x\n'),
  'other wrong lines': many((index) => `x${index}\n`),
  'empty lines': many(() => '\n'),
  comments: many((index) => `# ${index}\n`),
  'comments after rules': many((index) => `{raddr ${host(index)}} drop {} # ${index}\n`),
  rules: many((index) => `{raddr ${host(index)} dir both} bypass {}\n`),
  'rules that protect': many(
    (index) => `{raddr ${host(index)}} ipsec {encr_algs aes encr_auth_algs sha256}\n`,
  ),
  'rules that are there twice': many((index) => `{raddr ${host(index >> 1)}} drop {}\n`),
  'the same rule': many(() => '{raddr 10.1.2.3} drop {}\n'),
  'rules that are wrong': many((index) => `{raddr ${host(index)} ulp zz${index}} drop {}\n`),
  'rules about unknown hosts': many((index) => `{raddr nowhere${index}} drop {}\n`),
  'rules about tunnels': many(
    (index) => `{tunnel tun${index} negotiate tunnel raddr ${host(index)}} ipsec {encr_algs aes}\n`,
  ),
  'one pattern': within(
    '{',
    many((index) => `raddr ${host(index)} `),
    '} drop {}',
  ),
  'unknown words in a pattern': within(
    '{',
    many((index) => `word${index} `),
    '} drop {}',
  ),
  'one property list': within(
    '{raddr 10.1.2.3} ipsec {',
    many(() => 'encr_algs aes '),
    '}',
  ),
  alternatives: within(
    '{raddr 10.1.2.3} ',
    many(() => 'ipsec {encr_algs aes}', ' or '),
    '\n',
  ),
  'rules on one line': many((index) => `{raddr ${host(index)}} drop {} `),
  'a rule on many lines': within(
    '{raddr 10.1.2.3 ',
    many(() => '\\\n'),
    '} drop {}',
  ),
  'open braces': many(() => '{'),
  'closed braces': many(() => '}'),
  'braces within braces': nested('{', '', '}'),
  'one long word': many(() => 'a'),
  blanks: many(() => ' '),
}

const sa = (index: number): string =>
  `add esp spi ${index + 256} src 192.0.2.1 dst 198.51.100.2 encr_alg aes encrkey ${KEY_128} auth_alg sha256 authkey ${KEY_256}\n`

export const KEY_FILES: Growing = {
  'wrong lines': many(() => 'x\n'),
  'other wrong lines': many((index) => `x${index}\n`),
  comments: many((index) => `# ${index}\n`),
  'comments between flushes': many((index) => `# ${index}\nflush\n`),
  SAs: many(sa),
  'SAs that are there twice': many((index) => sa(index >> 1)),
  'the same SA': many(() => sa(0)),
  'SAs with comments': many((index) => `# ${index}\n${sa(index)}`),
  'wrong SAs': many((index) => sa(index).replace('sha256', `sha${index}`)),
  'SAs about unknown hosts': many((index) => sa(index).replace('198.51.100.2', `nowhere${index}`)),
  'SAs with a pair': many((index) => sa(index).replace('\n', ` pair-spi ${index + 70000}\n`)),
  deletions: many((index) => `delete esp spi ${index + 256} dst ${host(index)}\n`),
  'additions and deletions': many(
    (index) => `${sa(index)}delete-pair esp spi ${index + 256} dst 198.51.100.2\n`,
  ),
  'an addition without end': many(() => 'add esp \\\n'),
  'unknown words of an addition': within(
    'add esp ',
    many((index) => `word${index} `),
    '\n',
  ),
  'one word of an addition': within(
    'add esp ',
    many((index) => `spi ${index + 256} `),
    '\n',
  ),
  quotes: many(() => '"'),
  'quoted words': within(
    'add esp ',
    many((index) => `srcidtype fqdn "a ${index}" `),
    '\n',
  ),
  'one long word': many(() => 'a'),
  'one long key': within(
    'add esp spi 1000 encrkey ',
    many(() => 'a7'),
    '\n',
  ),
}

export const TABLES: Growing = {
  'wrong lines': many(() => 'x\n'),
  'other wrong lines': many((index) => `x${index}\n`),
  comments: many((index) => `# ${index}\n`),
  'comments after the table': within(
    'PROTO|3|PROTO_IPSEC_ESP|async\n',
    many((index) => `# ${index}\n`),
    '',
  ),
  protocols: many((index) => `PROTO|${index}|P${index}|sync\n`),
  'the same protocol': many(() => 'PROTO|3|PROTO_IPSEC_ESP|async\n'),
  algorithms: within(
    'PROTO|3|PROTO_IPSEC_ESP|async\n',
    many((index) => `ALG|3|${index}|alg${index}|CKM_${index}|128|16\n`),
    '',
  ),
  names: within(
    'PROTO|3|ESP|async\nALG|3|12|',
    many((index) => `a${index}`, ','),
    '|CKM_AES_CBC|128|16\n',
  ),
  'sizes of keys': within(
    'PROTO|3|ESP|async\nALG|3|12|aes|CKM_AES_CBC|',
    many((index) => `${1 + (index % 65535)}`, ','),
    '|16\n',
  ),
  'sizes of blocks': within(
    'PROTO|3|ESP|async\nALG|3|12|aes|CKM_AES_CBC|128|',
    many((index) => `${1 + (index % 255)}`, ','),
    '\n',
  ),
  fields: within(
    'ALG|',
    many(() => '|'),
    '\n',
  ),
}

const section = (name: string, item: (index: number) => string) =>
  within(`{"${name}":[`, many(item, ','), ']}')

const member = (index: number, more: object) => JSON.stringify({ remote: host(index), ...more })
const association = (index: number, more: object = {}) =>
  JSON.stringify({
    protocol: 'esp',
    spi: index + 256,
    source: '192.0.2.1',
    destination: '198.51.100.2',
    encryption: { algorithm: 'aes-gcm', key: `${KEY_128}01020304` },
    ...more,
  })

export const DOCUMENTS: Growing = {
  'policies with a wrong member': section('policies', () => '{"a":1}'),
  'policies of a wrong type': section('policies', (index) => `${index}`),
  'policies with a wrong value': section('policies', (index) => member(index, { action: `drop${index}` })),
  policies: section('policies', (index) => member(index, { action: 'drop' })),
  'policies that are there twice': section('policies', (index) => member(index >> 1, { action: 'drop' })),
  'policies that protect': section('policies', (index) => member(index, { protect: { encryption: 'aes' } })),
  'policies about unknown hosts': section(
    'policies',
    (index) => `{"remote":"nowhere${index}","action":"drop"}`,
  ),
  'policies with wrong addresses': section('policies', () => '{"remote":"300.1.1.1","action":"drop"}'),
  alternatives: within(
    '{"policies":[{"remote":"10.1.2.3","protect":[',
    many(() => '{"encryption":"aes"}', ','),
    ']}]}',
  ),
  SAs: section('associations', (index) => association(index)),
  'SAs that are there twice': section('associations', (index) => association(index >> 1)),
  'the same SA': section('associations', () => association(0)),
  'SAs with a wrong member': section('associations', (index) => association(index, { [`m${index}`]: 1 })),
  'SAs with files of keys': section('associations', (index) =>
    association(index, { encryption: { algorithm: 'aes', key: { file: `key${index}` } } }),
  ),
  comments: section('policies', (index) => `{"comment":"${index}"}`),
  'lines of a comment': within(
    '{"comment":[',
    many((index) => `"${index}"`, ','),
    ']}',
  ),
  tunnels: section('tunnels', (index) =>
    JSON.stringify({ name: `tun${index}`, kind: 'ipip', local: '192.0.2.1', remote: host(index) }),
  ),
  'addresses of a tunnel': within(
    '{"tunnels":[{"name":"tun0","kind":"ipip","local":"192.0.2.1","remote":"192.0.2.2","addresses":[',
    many((index) => `"${host(index)}/32"`, ','),
    ']}]}',
  ),
  sockets: section('sockets', (index) => `{"service":"a${index}.service","action":"bypass"}`),
  'the same socket': section('sockets', () => '{"service":"a.service","action":"bypass"}'),
  algorithms: within(
    '{"algorithms":{"protocols":[{"number":3,"name":"ESP","algorithms":[',
    many(
      (index) =>
        `{"number":${index % 256},"names":["a${index}"],"mechanism":"","keySizes":{"kind":"list","sizes":[128]},"blockOrMacSizes":[]}`,
      ',',
    ),
    ']}]}}',
  ),
  'unknown members': within(
    '{',
    many((index) => `"m${index}":${index}`, ','),
    '}',
  ),
  'members that are there twice': within(
    '{',
    many((index) => `"m${index >> 1}":0`, ','),
    '}',
  ),
  'open brackets': many(() => '['),
  'brackets within brackets': nested('{"a":[', '', ']}'),
  numbers: within(
    '[',
    many((index) => `${index}`, ','),
    ']',
  ),
  'one long text': within(
    '{"dataPath":"',
    many(() => 'ab '),
    '"}',
  ),
  'one long number': within(
    '{"version":',
    many(() => '1'),
    '}',
  ),
  escapes: within(
    '{"dataPath":"',
    many(() => '\\u0041'),
    '"}',
  ),
  'open texts': many(() => '"\n'),
  lines: within(
    '{',
    many(() => '\n'),
    '"a":1}',
  ),
}

export const FILTERS: Growing = {
  and: many((index) => `host ${host(index)}`, ' and '),
  or: many((index) => `port ${index % 65536}`, ' or '),
  words: many(() => 'tcp '),
  not: within(
    '',
    many(() => 'not '),
    'tcp',
  ),
  brackets: nested('(', 'tcp', ')'),
  'open brackets': many(() => '('),
  numbers: within(
    '',
    many(() => 'ip[0] + ', ''),
    '1 = 2',
  ),
  'one long word': many(() => 'a'),
}

export const REQUESTS: Growing = {
  arguments: within(
    '{"jsonrpc":"2.0","id":1,"method":"command.show","params":{"command":"ipsecconf","argv":[',
    many((index) => `"-${index}"`, ','),
    ']}}',
  ),
  members: within(
    '{"jsonrpc":"2.0","id":1,',
    many((index) => `"m${index}":1`, ','),
    '}',
  ),
  'open brackets': many(() => '['),
}

export const COMMAND_LINES: Growing = {
  words: many((index) => `word${index} `),
  values: within(
    'setprop a/b = astring: (',
    many((index) => `"${index}" `),
    ')',
  ),
  signs: many(() => '('),
  quotes: within(
    '"',
    many(() => '\\"'),
    '',
  ),
  'one long word': many(() => 'a'),
}

const properties = (count: number) =>
  many((index) => `"a/p${index}":{"type":"astring","values":["${index}"]}`, ',')(count)

export const PROPERTIES: Growing = {
  properties: (count) => {
    const set = `{"groups":{"a":"application"},"properties":{${properties(count)}}}`
    return `{"editing":${set},"running":${set}}`
  },
  groups: (count) => {
    const set = `{"groups":{${many((index) => `"g${index}":"application"`, ',')(count)}},"properties":{}}`
    return `{"editing":${set},"running":${set}}`
  },
  values: (count) => {
    const values = many((index) => `"${index}"`, ',')(count)
    const set = `{"groups":{},"properties":{"a/b":{"type":"astring","values":[${values}]}}}`
    return `{"editing":${set},"running":${set}}`
  },
}

/** A state file with one list of its own. */
const state = (more: (count: number) => object) => (count: number) =>
  JSON.stringify({
    ...{ version: 5, markMask: 0, netfilter: {}, nextIndex: 1, tunnels: [], pins: [], ownTunnels: [] },
    ...{ files: ['a'], actions: [[]], prefixes: [], texts: [], numbers: [] },
    sorts: [{ traffic: {}, direction: 'both', file: 0, actions: 0 }],
    ...more(count),
  })

const list = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index))

export const STATES: Growing = {
  rules: state((count) => ({
    prefixes: list(count, (index) => `${host(index)}/32`),
    texts: list(count, (index) => `{raddr ${host(index)}} drop {}`),
    numbers: list(count, (index) => [0, index + 1, 1, 1, 1, 0, index + 1, index * 8, index * 2]).flat(),
  })),
  'pairs of one rule': state((count) => ({
    prefixes: list(count, (index) => `${host(index)}/32`),
    texts: ['{} drop {}'],
    numbers: [0, 1, 1, 1, count, ...list(count, (index) => [0, index + 1, index * 8, index * 2]).flat()],
  })),
  tunnels: state((count) => ({
    tunnels: list(count, (index) => ({ name: `tun${index}`, local: '192.0.2.1', remote: host(index) })),
  })),
  pins: state((count) => ({
    pins: list(count, (index) => ({ local: '192.0.2.1', remote: host(index), localPort: 1, remotePort: 2 })),
  })),
}
