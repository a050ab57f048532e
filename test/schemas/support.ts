/**
 * Checks JSON output against its published schema.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

const FOLDER = new URL('../../../schemas/', import.meta.url)
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
for (const name of readdirSync(FOLDER)) {
  if (name.endsWith('.schema.json')) ajv.addSchema(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')))
}

/** All names of schemas. */
export const schemaNames = readdirSync(FOLDER).filter((name) => name.endsWith('.schema.json'))

/** @returns what is wrong with `json` by the schema of this file name; empty = nothing */
export function violations(schema: string, json: string): string[] {
  const validate = ajv.getSchema(`https://solipsec.invalid/schemas/${schema}`)
  if (!validate) throw new Error(`no schema ${schema}`)
  return validate(JSON.parse(json))
    ? []
    : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`)
}
