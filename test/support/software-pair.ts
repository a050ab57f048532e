/**
 * Two hosts on one wire whose packets the software data path carries, on any kernel.
 *
 * @module
 */
import { Station } from '../vm/support/station.ts'
import { type Teardown, TestNet } from './namespaces.ts'

export interface SoftwarePair {
  readonly net: TestNet
  readonly left: Station
  readonly right: Station
}

/** @param here the left host's addresses, with their prefix lengths. @param there the right one's */
export async function softwarePair(
  t: Teardown,
  here: readonly string[] = ['10.1.0.1/24', 'fd01::1/64'],
  there: readonly string[] = ['10.1.0.2/24', 'fd01::2/64'],
): Promise<SoftwarePair> {
  const net = new TestNet(t)
  const left = await Station.makeSoftware(t, net)
  const right = await Station.makeSoftware(t, net)
  await net.wire(left.host, right.host, here, there)
  return { net, left, right }
}
