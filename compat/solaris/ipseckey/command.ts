/**
 * What the key language says, resolved and checked: a list of `KeyCommand`s. Pure data; whoever executes them
 * owns the kernel.
 *
 * @module
 */
import type {
  InnerSelector,
  SaChanges,
  SaProtocol,
  SaTarget,
  SecurityAssociation,
} from '../../../agent/model/association.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'

/** What an `update` line says about the SA that cannot be changed: the executor refuses where the SA differs. */
export interface SaExpectation {
  readonly authAlgorithm?: number
  readonly encrAlgorithm?: number
  readonly inner?: InnerSelector
}

export type KeyCommand =
  /** Keys are shared between the SAs that a name with several addresses expands to. */
  | { readonly kind: 'add'; readonly association: SecurityAssociation }
  | {
      readonly kind: 'update' | 'update-pair'
      readonly target: SaTarget
      readonly changes: SaChanges
      readonly expected: SaExpectation
    }
  | { readonly kind: 'delete' | 'delete-pair' | 'get'; readonly target: SaTarget }
  /** Without `protocol`: all of them. */
  | { readonly kind: 'flush' | 'dump'; readonly protocol?: SaProtocol }
  /** Without `file`: standard output. */
  | { readonly kind: 'save'; readonly protocol?: SaProtocol; readonly file?: string }
  | { readonly kind: 'monitor'; readonly passive: boolean }
  | { readonly kind: 'help'; readonly topic?: string }
  | { readonly kind: 'quit' }

export type KeyCommandKind = KeyCommand['kind']

/** One entry of a key file: what a message about it needs, and what it asks for. */
export interface KeyEntry {
  /** 1-based physical lines. `Config file entry near line %u` gives the last one. */
  readonly firstLine: number
  readonly lastLine: number
  /** The entry as written, every word that is or may be a key blanked with `x`. Made when asked for. */
  readonly text: string
  /** Empty where the entry has errors; several where a destination name has several addresses. */
  readonly commands: readonly KeyCommand[]
  readonly diagnostics: readonly Diagnostic[]
}

/** A parsed key file. `commands` and `diagnostics` are those of all entries, in file order. */
export interface KeyFile {
  readonly entries: readonly KeyEntry[]
  readonly commands: readonly KeyCommand[]
  readonly diagnostics: readonly Diagnostic[]
}
