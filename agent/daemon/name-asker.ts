/**
 * A program of its own that asks the system for the addresses of hosts, as getaddrinfo(3) does: see `inquiry.ts`.
 *
 * A list of names comes on standard input, as JSON. What is found goes to standard output, a line for each name as soon as
 * it is known: `["gw.example.net",["192.0.2.1"]]`. A line without a name, `[]`, says that it begins.
 *
 * @module
 */
import { lookup } from 'node:dns/promises'
import { readFileSync, writeSync } from 'node:fs'
import { hostsFirst } from './hosts-first.ts'

/** @returns empty where there is no answer, too */
async function addressesOf(name: string): Promise<string[]> {
  try {
    const found = await lookup(name, { all: true, order: 'verbatim' })
    return found.map(({ address }) => address)
  } catch {
    return []
  }
}

async function answer(name: string): Promise<void> {
  const addresses = await addressesOf(name)
  writeSync(1, `${JSON.stringify([name, addresses])}\n`)
}

function knownHosts(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8')
  } catch {
    return ''
  }
}

writeSync(1, '[]\n')
const names = JSON.parse(readFileSync(0, 'utf8')) as string[]
await Promise.all(hostsFirst(names, knownHosts()).map(answer))
