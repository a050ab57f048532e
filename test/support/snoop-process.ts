/**
 * `solipsec snoop` as a process, for tests of live capture.
 *
 * @module
 */
import type { Teardown } from './namespaces.ts'
import { SolipsecProcess } from './solipsec-process.ts'

/** A running `solipsec snoop` in a namespace. */
export class SnoopProcess extends SolipsecProcess {
  private constructor(t: Teardown, namespace: string, argv: readonly string[], uid?: number) {
    super(t, namespace, ['snoop', '--datapath', 'auto', '-n', ...argv], uid)
  }

  /** Packets from now on are seen. */
  static async start(t: Teardown, namespace: string, ...argv: string[]): Promise<SnoopProcess> {
    const snoop = new SnoopProcess(t, namespace, argv)
    await snoop.until(() => snoop.err.includes('Using device'))
    return snoop
  }

  /** Expects it to end with status 1. @returns what it said */
  static async refused(
    t: Teardown,
    namespace: string,
    argv: readonly string[],
    uid?: number,
  ): Promise<string> {
    const snoop = new SnoopProcess(t, namespace, argv, uid)
    const code = await snoop.ended()
    if (code !== 1) throw new Error(`ended with ${code}: ${snoop.err}`)
    return snoop.err
  }
}
