/**
 * `solipsec/compat`: the Solaris languages and the JSON document, text to model and back.
 *
 * @module
 */
export {
  type CheckedConfiguration,
  type ConfigurationEnvironment,
  type ConfigurationFiles,
  readConfiguration,
} from './configuration/index.ts'
export { renderDiagnostics } from './diagnostics.ts'
export { parseAlgorithmFile, printAlgorithmFile } from './solaris/ipsecalgs/file.ts'
export { loadAlgorithmTable } from './solaris/ipsecalgs/load.ts'
export {
  formatRule,
  type ParsedPolicy,
  type PolicyEnvironment,
  parsePolicy,
} from './solaris/ipsecconf/index.ts'
export type { KeyCommand, KeyFile } from './solaris/ipseckey/command.ts'
export { type KeyLanguageOptions, parseKeyFile } from './solaris/ipseckey/parser.ts'
export { formatSave } from './solaris/ipseckey/print/save.ts'
