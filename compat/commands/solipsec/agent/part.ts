/**
 * The part of a configuration that can be in force while names have no address or tunnels are not there. Pure.
 *
 * Rules and SAs with such names are left out, and all others are as they were written, in their order. None of them comes to
 * mean less: rules that let pass are asked before those that protect, and these before those that drop, wherever they are
 * written (ipsecconf(8)), so that where one that protects is missing, the next of its kind counts, or one that drops. Where there
 * is none, packets pass in clear, and no other rule that were left out would change that. One that lets pass stays all the same
 * for another reason: it may be the one that lets the question for the name through to DNS.
 *
 * @module
 */
import type { AgentSettings } from '../../../../agent/daemon/loading.ts'
import type { SaIdentifier, SecurityAssociation } from '../../../../agent/model/association.ts'
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import { saKey } from '../../../../agent/reconcile/association-notes.ts'
import type { HostNetwork } from '../../../../agent/reconcile/host.ts'
import type { CheckedConfiguration } from '../../../configuration/index.ts'
import { CommandError } from '../../support/exit.ts'
import { FileErrors } from '../change/configuration.ts'

/** What names mean now does not fit: an address of another family, or that of another name. Their next answer may. */
export class UnfitNamesError extends FileErrors {}

/** Host names have no address; nothing else is wrong with the file. */
export class AwaitedNamesError extends CommandError {
  readonly diagnostics: readonly Diagnostic[]
  readonly names: readonly string[]
  /** What holds until then, where a part of the configuration was put into force. */
  readonly settings: AgentSettings | undefined
  /** A tunnel of that part is not there either. */
  readonly tunnel: unknown

  constructor(diagnostics: readonly Diagnostic[], settings?: AgentSettings, tunnel?: unknown) {
    super('names have no address')
    this.name = 'AwaitedNamesError'
    this.diagnostics = diagnostics
    this.names = missingNames(diagnostics) ?? []
    this.settings = settings
    this.tunnel = tunnel
  }
}

/** The names that have no address, each once. `undefined` where anything else is wrong as well. */
export function missingNames(diagnostics: readonly Diagnostic[]): string[] | undefined {
  const names = new Set<string>()
  for (const { severity, unresolved } of diagnostics) {
    if (severity !== 'error') continue
    if (unresolved === undefined) return undefined
    names.add(unresolved)
  }
  return [...names]
}

/**
 * The part that needs no name: reading has left out what does. Halves of pairs whose other half was left out go, too.
 *
 * @param inForce SAs of ours that are there. While one of them would go, all stay as they are: it may be one that was left out.
 */
export function partWithoutNames(
  configuration: CheckedConfiguration,
  inForce: readonly SaIdentifier[],
): CheckedConfiguration {
  const { associations: all, ...rest } = configuration
  if (!all) return configuration
  const associations = withoutLoneHalves(all)
  const keys = new Set(associations.map(saKey))
  return inForce.every((one) => keys.has(saKey(one))) ? { ...rest, associations } : rest
}

function withoutLoneHalves(all: readonly SecurityAssociation[]): readonly SecurityAssociation[] {
  const keys = new Set(all.map(saKey))
  const rest = all.filter(
    ({ protocol, pairSpi: spi, source: destination }) =>
      spi === undefined || keys.has(saKey({ protocol, spi, destination })),
  )
  return rest.length === all.length ? rest : withoutLoneHalves(rest)
}

/**
 * All but tunnels and their rules. These are about packets that go through a tunnel, or are its own, so without it there are
 * none.
 */
export function partWithoutTunnels(
  configuration: CheckedConfiguration,
  { tunnels: present }: HostNetwork,
): CheckedConfiguration {
  const { tunnels, rules, ...rest } = configuration
  const asked = new Set(tunnels?.map(({ name }) => name))
  const usable = rules?.filter(
    ({ tunnel }) => !tunnel || (present.has(tunnel.name) && !asked.has(tunnel.name)),
  )
  return { ...rest, ...(usable && { rules: usable }) }
}

/** Rules by what was written: by it, those that were put into force are known again. */
export function writtenForm(rules: readonly Rule[]): string {
  return JSON.stringify(rules.map(({ file, span: { line }, text }) => [file, line, text]))
}
