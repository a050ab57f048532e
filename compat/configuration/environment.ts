/**
 * What a configuration is read against: names, algorithms, and the files that it refers to.
 *
 * @module
 */
import type { PolicyEnvironment } from '../solaris/ipsecconf/index.ts'

/** What a file has to be for. */
export type FilePurpose = 'policies' | 'associations' | 'algorithms' | 'key'

/** A file's contents, or why it cannot be read. */
export type FileText =
  | {
      readonly text: string
      /** As messages call it. */
      readonly name: string
      /** Others than root may read or change it. */
      readonly isExposed: boolean
    }
  | {
      readonly problem: string
      /** Nothing is wrong with the document: it is only that nobody can tell here. */
      readonly isUnknown?: boolean
    }

/** Where a document and what it refers to come from. */
export interface ConfigurationFiles {
  /** Others than root may read or change the document itself. */
  readonly isExposed: boolean
  /** Reads a file by its path in the document. */
  read(path: string, purpose: FilePurpose): FileText
  /** Reads a credential of the service (systemd.exec(5), `CREDENTIALS_DIRECTORY`). */
  credential(name: string): FileText
}

/** `algorithms` is the table for documents that have none of their own. */
export interface ConfigurationEnvironment extends PolicyEnvironment {
  readonly files: ConfigurationFiles
}
