/**
 * Makes TypeScript out of the configuration's schema: its types, a validator that needs no package, and the schema
 * itself for the words of messages. Plain
 * JavaScript, for it runs before anything is compiled.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'

const schemaFile = new URL('configuration.schema.json', import.meta.url)
const typesFile = new URL('generated/configuration.ts', import.meta.url)
const validatorFile = new URL('generated/validate-configuration.ts', import.meta.url)
const wordsFile = new URL('generated/configuration-schema.ts', import.meta.url)
const HEAD = '// Made from configuration.schema.json by schemas/build.js. Not for editing.\n'

if ([typesFile, validatorFile, wordsFile].some((file) => changedAt(file) < newest())) {
  const schema = JSON.parse(readFileSync(schemaFile, 'utf8'))
  mkdirSync(new URL('generated/', import.meta.url), { recursive: true })
  writeFileSync(validatorFile, await validator(schema))
  writeFileSync(wordsFile, `${HEAD}export const schema: unknown = ${JSON.stringify(schema)}\n`)
  writeFileSync(typesFile, await types(schema))
}

function newest() {
  return Math.max(changedAt(schemaFile), changedAt(new URL(import.meta.url)))
}

/** @returns time of the last change in milliseconds, 0 where there is no such file */
function changedAt(url) {
  return statSync(url, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

async function validator(schema) {
  const [{ Ajv2020 }, { default: standalone }] = await Promise.all([
    import('ajv/dist/2020.js'),
    import('ajv/dist/standalone/index.js'),
  ])
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    // What one member needs of another is said in `if` and `else`, apart from the members.
    strictRequired: false,
    messages: false,
    code: { source: true, esm: true },
  })
  const code = inPlace((standalone.default ?? standalone)(ajv, ajv.compile(withoutWords(schema))))
  // Where it needs a function of ajv (lengths in minLength, deep equality), it would ask for the package at run time.
  if (/\brequire\(/.test(code)) throw new Error('the validator is not self-contained')
  return `// @ts-nocheck\n${HEAD}${code.replace(/^"use strict";/, '')}\n`
}

/**
 * ajv copies all errors so far whenever a referenced schema finds one more: quadratic time for a document of many errors.
 * The list belongs to nobody else, so it can grow where it is.
 */
function inPlace(code) {
  const joined = code.replaceAll(
    /vErrors === null \? (validate\d+\.errors) : vErrors\.concat\(\1\)/g,
    'appended(vErrors, $1)',
  )
  if (joined.includes('.concat(')) throw new Error('the validator copies errors in a way that is new')
  return `${joined}
function appended(errors, more) {
  if (errors === null) return more
  for (const error of more) errors.push(error)
  return errors
}`
}

async function types(schema) {
  const { compile } = await import('json-schema-to-typescript')
  return compile(forTypes(schema), 'Configuration', {
    bannerComment: HEAD,
    additionalProperties: false,
    format: false,
  })
}

/** The schema in the words that the maker of types knows: `if` of a type is a union, any other says nothing of types. */
function forTypes(node) {
  if (Array.isArray(node)) return node.map(forTypes)
  if (typeof node !== 'object' || node === null) return node
  // What stands beside a reference is for people, and would make a type of its own.
  if (node.$ref) return { $ref: node.$ref }
  const { if: condition, then: one, else: other, ...rest } = node
  const entries = Object.entries(rest).map(([name, value]) => [name, forTypes(value)])
  const plain = Object.fromEntries(entries)
  if (!condition?.type) return plain
  const { type: _, ...description } = plain
  return { ...description, anyOf: [forTypes(one), forTypes(other)] }
}

/** Descriptions and examples would only make the validator larger. Names of members are no keywords. */
function withoutWords(node, isMembers = false) {
  if (Array.isArray(node)) return node.map((item) => withoutWords(item))
  if (typeof node !== 'object' || node === null) return node
  const kept = Object.entries(node).filter(
    ([name]) => isMembers || !['title', 'description', 'examples'].includes(name),
  )
  const hasMembers = (name) => !isMembers && (name === 'properties' || name === '$defs')
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutWords(value, hasMembers(name))]))
}
