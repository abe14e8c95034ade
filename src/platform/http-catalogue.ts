/** Every refusal code of the house in one map, so that no code is answered without a title, a cause and a fix. */
import type { RefusalCode } from './faults.ts'

/** What a code means where it is shown; the server's own codes add 500 and 503 to those of refusals. */
export type Meaning = Omit<RefusalCode, 'status'> & { readonly status: number }
export type Catalogue = ReadonlyMap<string, Meaning>

const DOTTED = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/

/** Declares the refusal codes of one room. */
export function refusals<const Codes extends Readonly<Record<string, RefusalCode>>>(codes: Codes): Codes {
  return Object.freeze(codes)
}

/** Merges the rooms' maps; a code that is malformed, unexplained or declared twice fails the boot. */
export function catalogue(...rooms: readonly Readonly<Record<string, Meaning>>[]): Catalogue {
  const all = new Map<string, Meaning>()
  for (const room of rooms) {
    for (const [code, meaning] of Object.entries(room)) {
      if (!DOTTED.test(code)) throw new Error(`refusal code "${code}" is not dotted lower snake case`)
      if (all.has(code)) throw new Error(`refusal code "${code}" is declared twice`)
      if (!meaning.title || !meaning.cause || !meaning.fix) {
        throw new Error(`refusal code "${code}" lacks a title, a cause or a fix`)
      }
      all.set(code, meaning)
    }
  }
  return all
}
