/** Which events of the log somebody wants to be told of. */
import { domainOf, type EventWords } from './cloud-events.ts'
import type { RecordedEvent } from './log.ts'

/** An empty list leaves nothing out. */
export type EventFilter = {
  /** `order.accepted`, or `order.*` for all of an object. */
  readonly types: readonly string[]
  readonly domains: readonly string[]
  readonly companies: readonly string[]
}

const WANTED = /^([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*|\*)$/

export function wants(words: EventWords, filter: EventFilter, event: RecordedEvent): boolean {
  const { types, domains, companies } = filter
  return (
    (types.length === 0 || types.some((type) => type === event.type || isWithin(type, event.type))) &&
    (domains.length === 0 || domains.includes(domainOf(words, event.type))) &&
    (companies.length === 0 || companies.includes(event.company))
  )
}

const isWithin = (pattern: string, type: string): boolean =>
  pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))

/** The first type that no event can have, since nothing in the house is called so. */
export const unknownType = (words: EventWords, types: readonly string[]): string | undefined =>
  types.find((type) => !Object.hasOwn(words.domains, WANTED.exec(type)?.[1] ?? ''))

export const unknownDomain = (words: EventWords, domains: readonly string[]): string | undefined =>
  domains.find((domain) => !Object.values(words.domains).includes(domain))
