/**
 * From words on the command line to services.
 *
 * @module
 */
import { SERVICES, type Service } from './catalogue.ts'
import { resolve } from './fmri.ts'
import { Refusal } from './frame.ts'

/** Services that a word stands for: one, or by a pattern any number. @throws Refusal where there is none, or no telling */
export function select(word: string): readonly Service[] {
  const { services, isPattern } = resolve(word)
  if (services.length === 0) throw new Refusal(nothingFits(word))
  if (services.length > 1 && !isPattern) throw new Refusal(severalFit(word, services))
  return services
}

/** The one service that a word stands for. @throws Refusal */
export function selectOne(word: string): Service {
  const { services } = resolve(word)
  const [service, ...more] = services
  if (!service) throw new Refusal(nothingFits(word))
  if (more.length > 0) throw new Refusal(severalFit(word, services))
  return service
}

/** All that several words stand for, each once, in the order of the catalogue. */
export function selectAll(words: readonly string[]): Service[] {
  const chosen = new Set(words.flatMap((word) => select(word)))
  return SERVICES.filter((service) => chosen.has(service))
}

function severalFit(word: string, services: readonly Service[]): string {
  return [`Pattern '${word}' matches multiple instances:`, ...services.map(({ fmri }) => `\t${fmri}`)].join(
    '\n',
  )
}

/** Services of the system belong to systemd, and whoever asks us for one is told where to go. */
function nothingFits(word: string): string {
  const ours = SERVICES.map(({ name }) => name).join(',')
  const name = /^(?:svc:\/+)?(?:[\w.-]+\/)*([A-Za-z][\w.@-]*)(?::[\w.-]+)?$/.exec(word)?.[1]
  const example = name === undefined ? '' : `, such as 'systemctl status ${name}'`
  return (
    `Pattern ${quoted(word)} doesn't match any instances\n` +
    `help: there is only svc:/network/ipsec/{${ours}} here; for services of the system, use systemctl(1)${example}`
  )
}

/** Nothing that a terminal would obey. */
function quoted(word: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\x00-\x1f\x7f-\x9f]/.test(word) ? JSON.stringify(word) : `'${word}'`
}
