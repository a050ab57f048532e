/**
 * Files that the commands about configurations read: their text, kind, and what they refer to.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ConfigurationFiles, FileText } from '../../configuration/environment.ts'
import { type FileKind, recognise } from '../../configuration/kind.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { type RegularFile, readRegularFile } from '../support/regular-file.ts'
import { systemReason } from '../support/system-text.ts'

export interface InputFile {
  /** As messages call it. */
  readonly name: string
  readonly kind: FileKind
  readonly text: string
  /** Others than root may read or change it. */
  readonly isExposed: boolean
  /** Where relative paths in it start. */
  readonly folder: string
  /** This file and those it refers to, as far as they were read, that others than root may change. */
  readonly changeable: Set<string>
}

/**
 * Reads a file; `-` is standard input.
 *
 * @param isLasting it is for who reads it again and again and waits for nobody: a regular file, and no pipe
 * @throws CommandError where it cannot be read, or its kind is unclear
 */
export async function readInput(
  path: string,
  kind: FileKind | undefined,
  io: Io,
  isLasting = false,
): Promise<InputFile> {
  const isStandardInput = path === '-' && !isLasting
  const name = isStandardInput ? '<standard input>' : path
  const { text, isExposed, isChangeable } = isStandardInput
    ? unshared(await io.stdin.text())
    : readOrFail(path, isLasting)
  const recognised = kind ?? recognise(text, path)
  if (!recognised) {
    throw new CommandError(`${name}: cannot tell what kind of file this is; say it by --kind`)
  }
  const folder = path === '-' ? '.' : dirname(path)
  return { name, kind: recognised, text, isExposed, folder, changeable: new Set(isChangeable ? [name] : []) }
}

/** Nobody else has it open. */
const unshared = (text: string): RegularFile => ({ text, isExposed: false, isChangeable: false })

function readOrFail(path: string, isLasting: boolean): RegularFile {
  const file = tryToRead(path, () => readRegularFile(path))
  if (file) return file
  if (isLasting) throw new CommandError(`${path} is not a regular file`)
  // A pipe is welcome here: `solipsec check <(…)`.
  return tryToRead(path, () => unshared(readFileSync(path, 'utf8')))
}

function tryToRead<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${systemReason(error as Error)})`)
  }
}

/**
 * What a document refers to, read from disk. Credentials are there for a service alone: where there are none at all,
 * it cannot be told whether they are right.
 *
 * @param needsKeys whether that is an error: an SA without its key cannot be loaded
 */
export function configurationFiles(
  { folder, isExposed, changeable }: InputFile,
  env: Io['env'],
  needsKeys = false,
): ConfigurationFiles {
  return {
    isExposed,
    read: (path) => {
      const { isChangeable = false, ...file } = readReferred(resolve(folder, path))
      if (isChangeable && 'name' in file) changeable.add(file.name)
      return file
    },
    credential: (name) => {
      const { CREDENTIALS_DIRECTORY: credentials } = env
      if (credentials === undefined && needsKeys) {
        return { problem: `The credential ${name} is not there: credentials are there for services only` }
      }
      if (credentials === undefined) {
        return {
          problem: 'This key is not checked: credentials are there for services only',
          isUnknown: true,
        }
      }
      return readReferred(join(credentials, name))
    },
  }
}

function readReferred(path: string): FileText & Partial<Pick<RegularFile, 'isChangeable'>> {
  try {
    const file = readRegularFile(path)
    return file ? { ...file, name: path } : { problem: `${path} is not a regular file` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { problem: `There is no file ${path}` }
    return { problem: `${path} cannot be read (${code ?? message})` }
  }
}
