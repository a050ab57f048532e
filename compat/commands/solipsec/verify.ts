/**
 * `solipsec verify`: holds the packets of the network against policy.
 *
 * @module
 */

import { Store } from '../../../agent/reconcile/store.ts'
import { LiveTables } from '../../../agent/verify/live-tables.ts'
import { DataPathSource } from '../../../agent/verify/table-source.ts'
import { displayTable } from '../support/algorithms.ts'
import { announceDataPath } from '../support/data-path-option.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { subcommand } from './subcommand.ts'
import { interpret, optionTable, type Request } from './verify/arguments.ts'
import { Devices } from './verify/devices.ts'
import { JsonReport } from './verify/json-report.ts'
import type { Scene } from './verify/report.ts'
import { Rules } from './verify/rules.ts'
import { TextReport } from './verify/text-report.ts'
import { Watch } from './verify/watch.ts'

export const run = subcommand({ name: 'solipsec verify', options: optionTable, interpret, carryOut })

/** @throws CommandError without words where something was wrong: the report has them */
async function carryOut(request: Request, io: Io): Promise<void> {
  // Whoever has read the first word may end it, and gets a report.
  const { interrupted, stdout } = io
  const devices = new Devices(request.devices)
  if (devices.names.length === 0 && !request.isContinuous) {
    throw new CommandError('no interface that is up leads to a network; choose one with -i')
  }
  const store = Store.open()
  const source = new DataPathSource(store.folder, request.dataPath)
  announceDataPath(source.dataPath, io)
  try {
    const tables = new LiveTables(source, displayTable())
    try {
      const rules = new Rules(() => store.loadPolicy())
      const knowledge = { rules, deviceName: (ifindex: number) => devices.nameOf(ifindex) }
      const report = request.json ? new JsonReport(knowledge, io) : new TextReport(request, knowledge, io)
      const watch = new Watch(tables, devices, request, report)
      report.begin(sceneOf(devices, tables))
      const watched = await watch.run(stdout, interrupted)
      report.end({ scene: sceneOf(devices, tables), ...watched })
      if (watched.tally.failures > 0) throw new CommandError('')
    } finally {
      tables.destroy()
    }
  } finally {
    source.close()
  }
}

function sceneOf({ names }: Devices, { current }: LiveTables): Scene {
  const { facts, policyCount: policies, saCount: associations } = current
  return { devices: names, dataPath: facts.dataPath, policies, associations }
}
