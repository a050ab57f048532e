/**
 * The report for programs: `schemas/solipsec-doctor.schema.json`.
 *
 * @module
 */
import { tally } from '../../../../agent/doctor/diagnose.ts'
import type { Finding } from '../../../../agent/doctor/finding.ts'

export function reportJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ counts: tally(findings), findings }, undefined, 2)}\n`
}
