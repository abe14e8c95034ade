/** A server with a few doors, for tests of what holds at every door. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { accessRefusals, createAccess, invalidCredentials } from '#platform/access.ts'
import type { Access, Principal } from '#platform/access.ts'
import type { Clock } from '#platform/clock.ts'
import { route } from '#platform/http.ts'
import type { Answer, Request, Route } from '#platform/http.ts'
import { catalogue, refusals } from '#platform/http-catalogue.ts'
import { httpFaults, httpRefusals } from '#platform/http-refusals.ts'
import { createServer } from '#platform/http-server.ts'
import type { Call, Called, Server, ServerOptions } from '#platform/http-server.ts'
import type { Ids } from '#platform/ids.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { createMetrics } from '#platform/telemetry-metrics.ts'
import { fakeClock } from '#tests/support/clock.ts'

export const testRefusals = refusals({
  'crates.empty': {
    status: 422,
    title: 'The crate is empty',
    cause: 'It has nothing in it.',
    fix: 'Fill it.',
  },
})
export const testCatalogue = catalogue(httpRefusals, httpFaults, accessRefusals, testRefusals)
export const testInfo = { title: 'Crates', version: '1.0.0', description: 'Crates and what is in them.' }

/** Tokens that differ and repeat from run to run. */
export function countingIds(): Ids {
  let count = 0
  return {
    documents: async () => [],
    token: (bytes) =>
      createHash('sha512')
        .update(String(count++))
        .digest('hex')
        .slice(0, bytes * 2),
    random: () => 0.5,
  }
}

/** Bearer "reader" may read, "writer" may read and write. */
const clients: Readonly<Record<string, Principal>> = {
  reader: { client: 'reader', scopes: new Set(['crates:read']) },
  writer: { client: 'writer', scopes: new Set(['crates:read', 'crates:write']) },
}
const access = createAccess(
  [
    {
      verify(credential) {
        const principal = clients[credential]
        if (!principal) throw invalidCredentials()
        return principal
      },
    },
  ],
  { openOnLoopback: false },
)

export type House = {
  readonly server: Server
  readonly lines: string[]
  readonly scrape: () => Promise<string>
}

export function house(
  routes: readonly Route[],
  options: Partial<ServerOptions> & { clock?: Clock; access?: Access } = {},
): House {
  const lines: string[] = []
  const { clock = fakeClock(), access: own, ...rest } = options
  const metrics = createMetrics({ process: false })
  const log = createLog({ level: 'info', clock, destination: { write: (line) => void lines.push(line) } })
  const server = createServer(
    routes,
    { clock, ids: countingIds(), log, metrics, access: own ?? access },
    { info: testInfo, catalogue: testCatalogue, rates: generous, checkAnswers: true, ...rest },
  )
  return { server, lines, scrape: async () => (await metrics.scrape()).text }
}

const much = { perSecond: 1_000, burst: 1_000 }
export const generous = { read: much, write: much, page: much, probe: much }

export const Crate = z
  .object({
    label: z.string().min(1).max(20).describe('what is written on the crate'),
    count: z.int().min(0).max(1_000),
    packedOn: z.iso.date().optional(),
    kind: z.enum(['wood', 'plastic']).default('wood'),
  })
  .meta({ id: 'Crate', description: 'One crate.' })
export const CrateView = z.object({ id: z.string(), count: z.int() }).meta({ id: 'CrateView' })

export const readCrate = route({
  method: 'GET',
  path: '/process/crates/v1/crates/:id',
  operationId: 'crates.read',
  summary: 'One crate',
  scope: 'crates:read',
  rateClass: 'read',
  bodyLimitBytes: 0,
  params: z.object({ id: z.string() }),
  query: z.object({ deep: z.boolean().optional(), limit: z.int().max(10).default(5) }),
  answers: { 200: { description: 'The crate', body: CrateView } },
  refusals: ['crates.empty'],
  example: { params: { id: 'c1' }, answer: { id: 'c1', count: 3 } },
  handler: ({ params, query }) => ({
    status: 200,
    body: { id: params.id, count: query.limit },
    headers: { etag: '"v1"' },
  }),
})

export const packCrate = route({
  method: 'POST',
  path: '/process/crates/v1/crates',
  operationId: 'crates.pack',
  summary: 'Packs a crate',
  scope: 'crates:write',
  rateClass: 'write',
  bodyLimitBytes: 2_000,
  body: Crate,
  idempotent: true,
  answers: { 201: { description: 'Packed', body: CrateView } },
  refusals: ['crates.empty'],
  example: { body: { label: 'A', count: 3 }, answer: { id: 'wood', count: 3 } },
  handler: ({ body }) => ({ status: 201, body: { id: body.kind, count: body.count } }),
})

export const sealCrate = route({
  method: 'POST',
  path: '/process/crates/v1/crates/:id:seal',
  operationId: 'crates.seal',
  summary: 'Seals a crate',
  scope: 'crates:write',
  rateClass: 'write',
  bodyLimitBytes: 1_000,
  params: z.object({ id: z.string() }),
  precondition: 'if-match',
  idempotent: 'none',
  answers: { 200: { description: 'Sealed', body: CrateView } },
  handler: ({ params, ifMatch }) => ({ status: 200, body: { id: `${params.id} ${ifMatch}`, count: 1 } }),
})

export const crateRoutes = [readCrate, packCrate, sealCrate]

export const asWriter = { authorization: 'Bearer writer' }
export function packing(body: unknown, headers: Readonly<Record<string, string>> = {}): Call {
  return {
    method: 'POST',
    url: '/process/crates/v1/crates',
    headers: { ...asWriter, 'content-type': 'application/json', 'idempotency-key': 'k1', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  }
}

const open: House[] = []

/** A house that `closeHouses` closes after the test. */
export function started(...options: Parameters<typeof house>): House {
  const made = house(...options)
  open.push(made)
  return made
}
export async function closeHouses(): Promise<void> {
  await Promise.all(open.splice(0).map(({ server }) => server.close()))
}

export const readsCrate = { method: 'GET', url: '/process/crates/v1/crates/c1', headers: asWriter } as const

/** The reading door with another handler. */
export function reading(
  handler: (request: Request) => Answer | Promise<Answer>,
  change: Partial<Route> = {},
): Route {
  return { ...readCrate, ...change, handler }
}

export const jsonOf = (answer: Called) => JSON.parse(answer.body) as Record<string, never>
export const codeOf = (answer: Called): unknown => [answer.status, jsonOf(answer)['code']]
