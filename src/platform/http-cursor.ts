/** Pages of a list: opaque cursors, signed, and bound to the client and the filter they were made for. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { Refusal } from './faults.ts'
import type { Request } from './http.ts'
import { canonical } from './http-idempotency.ts'

export const DEFAULT_PAGE = 50
export const LARGEST_PAGE = 200

/** The query members of a list; extend it with the filters. */
export const PageQuery = z.object({
  limit: z.int().min(1).max(LARGEST_PAGE).default(DEFAULT_PAGE).describe('How many items a page has at most'),
  cursor: z.string().min(1).max(1_000).optional().describe('nextCursor of the page before'),
})

/** A page of `item`: follow `nextCursor` until it is absent. The same schema for the same item. */
export function pageOf<Item extends z.ZodType>(item: Item): Page<Item> {
  const page = (schemas.get(item) as Page<Item> | undefined) ?? newPageOf(item)
  schemas.set(item, page)
  return page
}

const newPageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() })
type Page<Item extends z.ZodType> = ReturnType<typeof newPageOf<Item>>
const schemas = new WeakMap<z.ZodType, z.ZodType>()

/** Where a page ended: the sort key of its last item. */
export type Position = readonly (string | number)[]
type Listing = Pick<Request, 'path' | 'principal'> & {
  readonly query: { limit: number; cursor?: string | undefined }
}

export interface Pages {
  /** The position after which to go on; undefined for the first page. */
  after(request: Listing): Position | undefined
  /** The answer for up to `limit` items; `next` is the position of the last one when there are more. */
  answer<Item>(
    request: Listing,
    items: readonly Item[],
    next: Position | undefined,
  ): { status: 200; body: { items: Item[]; nextCursor?: string }; headers: Record<string, string> }
}

/** The secret must be the same in all processes that serve the list. */
export function createPages(secret: string): Pages {
  const sign = (request: Listing, position: string) =>
    createHmac('sha256', secret)
      .update(`${scopeOf(request)}\n${position}`)
      .digest()
      .subarray(0, 16)

  return {
    after(request) {
      const { cursor } = request.query
      if (cursor === undefined) return undefined
      const [position = '', signature = ''] = cursor.split('.')
      const given = Buffer.from(signature, 'base64url')
      const expected = sign(request, position)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new Refusal('http.cursor_invalid', 'Start again without a cursor.', {}, '/query/cursor')
      }
      return JSON.parse(Buffer.from(position, 'base64url').toString()) as Position
    },
    answer(request, items, next) {
      if (next === undefined) return { status: 200, body: { items: [...items] }, headers: {} }
      const position = Buffer.from(JSON.stringify(next)).toString('base64url')
      const nextCursor = `${position}.${sign(request, position).toString('base64url')}`
      const link = `<${request.path}?${parametersOf(request, nextCursor)}>; rel="next"`
      return { status: 200, body: { items: [...items], nextCursor }, headers: { link } }
    },
  }
}

/** Everything but the page size may not change between pages. */
function scopeOf({ path, principal, query }: Listing): string {
  const { cursor: _cursor, limit: _limit, ...filter } = query
  return canonical([principal.client, principal.partner ?? null, path, filter])
}

function parametersOf({ query }: Listing, cursor: string): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, cursor })) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) parameters.append(name, String(one))
    }
  }
  return parameters.toString()
}
