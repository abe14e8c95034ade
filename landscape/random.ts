/** Chance by name: a draw depends on the seed, the site that asks and which time it asks, on nothing else. */

/** 32 well-mixed bits of a text (FNV-1a, finished as murmur3 does). */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A number in [0, 1). */
export const draw = (seed: string, site: string, nth: number | string): number =>
  hash(`${seed}\u0000${site}\u0000${nth}`) / 0x1_0000_0000

/** A whole number from `low` to `high`, both included. */
export const drawInteger = (
  seed: string,
  site: string,
  nth: number | string,
  range: [number, number],
): number => range[0] + Math.floor(draw(seed, site, nth) * (range[1] - range[0] + 1))

/** One of a list that is not empty. */
export function drawOne<T>(seed: string, site: string, nth: number | string, list: readonly T[]): T {
  const one = list[Math.floor(draw(seed, site, nth) * list.length)]
  if (one === undefined) throw new Error(`nothing to draw from at ${site}`)
  return one
}

/** The same list turned by a drawn number of places: an order that nobody promised, never the one that was sent. */
export function inAnotherOrder<T>(seed: string, site: string, list: readonly T[]): T[] {
  const turn = list.length < 2 ? 0 : drawInteger(seed, 'another-order', site, [1, list.length - 1])
  return [...list.slice(turn), ...list.slice(0, turn)]
}
