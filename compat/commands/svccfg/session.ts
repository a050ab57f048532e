/**
 * One run of svccfg(8): which service is selected, and what each subcommand does.
 *
 * @module
 */
import { greatest } from '../../../agent/model/lists.ts'
import { SERVICES, type Service, serviceOf } from '../services/catalogue.ts'
import { matcher } from '../services/fmri.ts'
import { Refusal } from '../services/frame.ts'
import { configurationQuoted, type PropertySet } from '../services/property.ts'
import { select, selectOne } from '../services/select.ts'
import { composed } from '../services/snapshot.ts'
import { edit, readSnapshots, takeOver } from '../services/store.ts'
import type { World } from '../services/world.ts'
import type { Io } from '../support/io.ts'
import { type Assignment, readAddition, readAssignment } from './assignment.ts'
import { addGroup, addValue, deleteProperty, deleteValues, EditError, setProperty } from './edits.ts'
import { type Token, tokens } from './words.ts'

/** What a subcommand is given. */
interface Call {
  readonly operands: readonly Token[]
  readonly words: readonly string[]
}

const REFUSED: Readonly<Record<string, string>> = {
  add: 'services of others are units of systemd',
  apply: 'profiles are presets of systemd: systemctl preset',
  archive: `the files of /etc/solipsec/services are all there is to keep`,
  delete: 'the package that brought the services takes them away',
  editprop: 'setprop changes one property at a time',
  export: 'there is no manifest; systemctl cat shows the unit',
  import: 'there is no manifest; the package installs the units',
  setenv: 'systemctl edit takes Environment= lines',
  unsetenv: 'systemctl edit takes Environment= lines',
}

export class Session {
  readonly #io: Io
  readonly #world: World
  #selected: Service | undefined
  /** The instance was selected as well, by `select default` or its FMRI. */
  #isInstance = false
  /** `end`, `exit` or `quit` was said. */
  isOver = false

  constructor(io: Io, world: World) {
    this.#io = io
    this.#world = world
  }

  get prompt(): string {
    if (!this.#selected) return 'svc:> '
    return `svc:/${serviceOf(this.#selected)}${this.#isInstance ? ':default' : ''}> `
  }

  /** Selects what `-s` names. @throws Refusal */
  select(word: string): void {
    const isWithin = this.#selected && (word === 'default' || word === ':default')
    if (!isWithin) this.#selected = selectOne(word)
    this.#isInstance = isWithin || /:default$/.test(word)
  }

  /** Carries out one line. @throws Refusal, and errors of the store */
  run(line: string): void {
    const found = tokens(line)
    if ('error' in found) throw new Refusal(found.error)
    const [first, ...operands] = found
    if (!first) return
    const action = Object.hasOwn(this.#actions, first.text) ? this.#actions[first.text] : undefined
    if (!action) {
      const why = Object.hasOwn(REFUSED, first.text) ? ` here: ${REFUSED[first.text]}` : ''
      throw new Refusal(
        `Unknown subcommand '${first.text}'${why}.\nhelp: there are: ${this.names.join(', ')}`,
      )
    }
    try {
      action({ operands, words: operands.map(({ text }) => text) })
    } catch (error) {
      throw error instanceof EditError ? new Refusal(error.message) : error
    }
  }

  get names(): string[] {
    return Object.keys(this.#actions)
  }

  readonly #actions: Readonly<Record<string, (call: Call) => void>> = {
    addpg: ({ words: [group = '', type = '', ...more] }) => {
      expect(group !== '' && type !== '' && more.length === 0, 'addpg GROUP TYPE')
      this.#edit((service, set) => addGroup(service, set, group, type))
    },
    addpropvalue: ({ operands }) => {
      const addition = understood(readAddition(operands))
      this.#edit((service, set) => addValue(service, set, addition))
    },
    delpg: ({ words: [group = '', ...more] }) => {
      expect(group !== '' && !group.includes('/') && more.length === 0, 'delpg GROUP')
      this.#edit((service, set) => deleteProperty(service, set, group))
    },
    delprop: ({ words: [path = '', ...more] }) => {
      expect(path !== '' && more.length === 0, 'delprop GROUP[/PROPERTY]')
      this.#edit((service, set) => deleteProperty(service, set, path))
    },
    delpropvalue: ({ words: [path = '', pattern, ...more] }) => {
      if (pattern === undefined || more.length > 0)
        return expect(false, 'delpropvalue GROUP/PROPERTY PATTERN')
      this.#edit((service, set) => deleteValues(service, set, path, pattern))
    },
    end: () => this.#end(),
    exit: () => this.#end(),
    help: () => this.#say(`There are: ${this.names.join(', ')}. See svccfg(8).`),
    list: ({ words: [pattern = '*'] }) => {
      const fits = matcher(pattern)
      if (this.#selected) this.#say([':properties', 'default'].filter(fits).join('\n'))
      else this.#say(SERVICES.map(serviceOf).filter(fits).join('\n'))
    },
    listpg: ({ words: [pattern = '*'] }) => {
      const fits = matcher(pattern)
      const { groups } = this.#properties()
      this.#table(Object.entries(groups).filter(([name]) => fits(name)))
    },
    listprop: ({ words: [pattern = '*'] }) => {
      const fits = matcher(pattern)
      const { groups, properties } = this.#properties()
      const rows = Object.entries(groups).flatMap(([group, type]) => [
        [group, type],
        ...Object.entries(properties)
          .filter(([path]) => path.startsWith(`${group}/`))
          .map(([path, one]) => [path, one.type, one.values.map(configurationQuoted).join(' ')]),
      ])
      this.#table(rows.filter(([name = '']) => fits(name)))
    },
    listsnap: () => this.#say('running'),
    quit: () => this.#end(),
    refresh: () => {
      this.#requireRoot()
      takeOver(this.#world.places, this.#service())
    },
    revert: ({ words: [name = 'running', ...more] }) => {
      expect(name === 'running' && more.length === 0, 'revert [running]')
      this.#requireRoot()
      const { running } = readSnapshots(this.#world.places, this.#service())
      this.#edit(() => running)
    },
    select: ({ words: [word = '', ...more] }) => {
      expect(word !== '' && more.length === 0, 'select FMRI')
      this.select(word)
    },
    setprop: ({ operands }) => {
      const assignment = understood(readAssignment(operands))
      this.#edit((service, set) => setProperty(service, set, assignment))
    },
    unselect: () => {
      if (this.#isInstance) this.#isInstance = false
      else this.#selected = undefined
    },
    validate: ({ words: [word] }) => {
      for (const service of word === undefined ? [this.#service()] : select(word)) {
        readSnapshots(this.#world.places, service)
      }
    },
  }

  #service(): Service {
    if (!this.#selected) throw new Refusal('An entity must be selected: svccfg -s FMRI, or select FMRI.')
    return this.#selected
  }

  #properties(): PropertySet {
    const service = this.#service()
    return composed(service, readSnapshots(this.#world.places, service).editing)
  }

  #edit(change: (service: Service, set: PropertySet) => PropertySet): void {
    const service = this.#service()
    this.#requireRoot()
    edit(this.#world.places, service, (set) => change(service, set))
  }

  #requireRoot(): void {
    if (!this.#world.isRoot) throw new Refusal('Permission denied.')
  }

  #end(): void {
    this.isOver = true
  }

  #say(text: string): void {
    if (text !== '') this.#io.stdout.write(`${text}\n`)
  }

  /** Columns as wide as they need to be, two blanks apart. */
  #table(rows: readonly (readonly string[])[]): void {
    const widths = [0, 1].map((column) => Math.max(0, greatest(rows.map((row) => row[column]?.length ?? 0))))
    this.#say(
      rows
        .map((row) =>
          row
            .map((text, column) => text.padEnd(widths[column] ?? 0))
            .join('  ')
            .trimEnd(),
        )
        .join('\n'),
    )
  }
}

function understood(reading: Assignment | { readonly error: string }): Assignment {
  if ('error' in reading) throw new Refusal(reading.error)
  return reading
}

function expect(condition: boolean, syntax: string): void {
  if (!condition) throw new Refusal(`Syntax error: ${syntax}`)
}
