/**
 * Names to numbers and back through the name service switch (nsswitch.conf(5)), so that files, DNS, LDAP
 * and the rest give what every other program of the host sees. The calls block, and run in the calling
 * thread: a look-up over the network leaves from that thread's network namespace.
 *
 * Fits the `Resolver` of the model.
 *
 * @module
 */
import { foreign, koffi } from './ffi.ts'
import { type InetAddress as Address, readInetAddress, writeInetAddress } from './inet-address.ts'
import { AF_INET } from './socket.ts'

/** A C pointer as the foreign-function library hands it over. */
type Pointer = unknown

const SOCK_STREAM = 1
const NI_NAMEREQD = 8
const NI_MAXHOST = 1025

const c = {
  getaddrinfo: foreign<[string, null, Uint8Array, Pointer[]], number>(
    'int getaddrinfo(const char *, const char *, void *, _Out_ void **)',
  ),
  freeaddrinfo: foreign<[Pointer], void>('void freeaddrinfo(void *)'),
  getnameinfo: foreign<[Uint8Array, number, Uint8Array, number, null, number, number], number>(
    'int getnameinfo(void *, unsigned int, void *, unsigned int, void *, unsigned int, int)',
  ),
  getservbyname: foreign<[string, string | null], Pointer>('void *getservbyname(const char *, const char *)'),
  getservbyport: foreign<[number, string | null], Pointer>('void *getservbyport(int, const char *)'),
  getprotobyname: foreign<[string], Pointer>('void *getprotobyname(const char *)'),
  getprotobynumber: foreign<[number], Pointer>('void *getprotobynumber(int)'),
  getnetbyname: foreign<[string], Pointer>('void *getnetbyname(const char *)'),
}

/** The C structs of netdb.h, declared once and decoded by the library, which knows the platform's layout. */
const structs = lazy(() => {
  const { struct } = koffi()
  return {
    addrinfo: struct({
      flags: 'int',
      family: 'int',
      socktype: 'int',
      protocol: 'int',
      addrlen: 'unsigned int',
      addr: 'void *',
      canonname: 'void *',
      next: 'void *',
    }),
    servent: struct({ name: 'const char *', aliases: 'void *', port: 'int', proto: 'const char *' }),
    protoent: struct({ name: 'const char *', aliases: 'void *', proto: 'int' }),
    netent: struct({ name: 'const char *', aliases: 'void *', addrtype: 'int', net: 'uint32_t' }),
  }
})

function lazy<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

function read<T>(pointer: Pointer, type: keyof ReturnType<typeof structs>): T | undefined {
  return pointer === null ? undefined : (koffi().decode(pointer, structs()[type]) as T)
}

/**
 * Every address of a host name, both families, each once, in the order of `getaddrinfo(3)`; empty where
 * there is none, and also where the name service did not answer.
 */
export function addresses(name: string): Address[] {
  if (!isCString(name)) return []
  const hints = new Uint8Array(koffi().sizeof(structs().addrinfo))
  // One socket type, or each address would come three times.
  new Int32Array(hints.buffer)[2] = SOCK_STREAM
  const result: Pointer[] = [null]
  if (c.getaddrinfo(name, null, hints, result) !== 0) return []
  try {
    return distinct([...addressList(result[0])])
  } finally {
    c.freeaddrinfo(result[0])
  }
}

interface AddrInfo {
  readonly addrlen: number
  readonly addr: Pointer
  readonly next: Pointer
}

function* addressList(first: Pointer): Generator<Address> {
  for (let entry = read<AddrInfo>(first, 'addrinfo'); entry; entry = read<AddrInfo>(entry.next, 'addrinfo')) {
    const found = readInetAddress(new Uint8Array(koffi().view(entry.addr, entry.addrlen)))
    if (found) yield found.address
  }
}

function distinct(list: readonly Address[]): Address[] {
  return [...new Map(list.map((address) => [address.bytes.join('.'), address])).values()]
}

/** The name of an address, `undefined` where it has none. */
export function hostName(address: Address): string | undefined {
  const sockaddr = writeInetAddress(address)
  const host = new Uint8Array(NI_MAXHOST)
  if (c.getnameinfo(sockaddr, sockaddr.length, host, host.length, null, 0, NI_NAMEREQD) !== 0) {
    return undefined
  }
  return new TextDecoder().decode(host.subarray(0, host.indexOf(0)))
}

/** An IPv4 network by name (networks(5)), its host part zero; `undefined` where there is none. */
export function network(name: string): Address | undefined {
  if (!isCString(name)) return undefined
  const entry = read<{ addrtype: number; net: number }>(c.getnetbyname(name), 'netent')
  if (entry?.addrtype !== AF_INET) return undefined
  // Some name services give only the leading bytes, right-justified: 127 for 127.0.0.0.
  let net = entry.net
  while (net !== 0 && net < 0x1000000) net *= 256
  return { family: 'inet', bytes: Uint8Array.of(net >>> 24, net >>> 16, net >>> 8, net) }
}

/** The port of a service, whatever its transport protocol; `undefined` where there is none. */
export function service(name: string): number | undefined {
  if (!isCString(name)) return undefined
  const entry = read<{ port: number }>(c.getservbyname(name, null), 'servent')
  return entry && swapPort(entry.port)
}

/** The service of a port, of one transport protocol (by number) or of any. */
export function serviceName(port: number, protocol?: number): string | undefined {
  const transport = protocol === undefined ? null : protocolName(protocol)
  if (transport === undefined) return undefined
  return read<{ name: string }>(c.getservbyport(swapPort(port), transport), 'servent')?.name
}

/** The number of an IP protocol; `undefined` where there is none. */
export function protocol(name: string): number | undefined {
  if (!isCString(name)) return undefined
  return read<{ proto: number }>(c.getprotobyname(name), 'protoent')?.proto
}

/** The name of an IP protocol; `undefined` where it has none. */
export function protocolName(number: number): string | undefined {
  return read<{ name: string }>(c.getprotobynumber(number), 'protoent')?.name
}

/** A string with a NUL would reach C as a shorter name. */
function isCString(name: string): boolean {
  return name !== '' && !name.includes('\0')
}

/** `htons(3)` and `ntohs(3)`: ports are big endian inside a C int of host order. */
function swapPort(port: number): number {
  return new DataView(Uint16Array.of(port).buffer).getUint16(0, false)
}
