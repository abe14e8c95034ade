/** $batch: many requests in one call, each with its own answer, in an order of the server's own. */
import { type Fields, text } from '../fields.ts'
import { inAnotherOrder } from '../random.ts'
import { json, type Reply, type Tools } from '../server.ts'
import { refusal, type Request, type Verb } from './entities.ts'

const LARGEST = 50
const PLURAL: Record<string, string> = {
  createOrder: 'createOrders',
  postInvoice: 'postInvoices',
  registerPayment: 'registerPayments',
  reversePayment: 'reversePayments',
}

type Part = { id: string; request: Request; verb: Verb | undefined }
export type Batch = { name: string; keys: string[]; parts: Part[]; valid: boolean }

const lowerCased = (headers: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries((headers ?? {}) as Record<string, string>).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  )

/** A part's url may start at the company, with or without a slash, and carry a query. */
function partOf(one: Fields, verbOf: (request: Request) => Verb | undefined): Part {
  const [path = '', query = ''] = decodeURIComponent(text(one['url']))
    .replace(/^\//, '')
    .split(/\?(.*)/s)
  const fields = (one['body'] ?? {}) as Fields
  const request = {
    method: String(one['method']),
    url: path,
    query,
    headers: lowerCased(one['headers']),
    fields,
  }
  return { id: String(one['id']), request, verb: verbOf(request) }
}

export function batchOf(fields: Fields | undefined, verbOf: (request: Request) => Verb | undefined): Batch {
  const given = fields?.['requests']
  const valid = Array.isArray(given) && given.length <= LARGEST
  const parts = valid ? (given as Fields[]).map((one) => partOf(one, verbOf)) : []
  const name = PLURAL[parts[0]?.verb?.name ?? ''] ?? 'batch'
  return { name, keys: parts.flatMap(({ verb, request }) => verb?.keys(request) ?? []), parts, valid }
}

export function batchReply(batch: Batch, tools: Tools, seed: string): Reply {
  if (!batch.valid) return refusal(400, 'BadRequest', `requests: a list of at most ${LARGEST}`)
  const responses = batch.parts.map((part) => {
    const { status, headers, body } = answerPart(batch.name, part, tools)
    return { id: part.id, status, headers: headers ?? {}, body: JSON.parse(body) as unknown }
  })
  return json(200, { responses: inAnotherOrder(seed, batch.keys[0] ?? '', responses) })
}

function answerPart(operation: string, { request, verb }: Part, { faults }: Tools): Reply {
  if (!verb) return refusal(404, 'BadRequest_NotFound', `no resource ${request.url}`)
  const key = verb.keys(request)[0] ?? ''
  if (!faults.quiet && faults.strike('item-failure', operation, key))
    return refusal(503, 'Application_Busy', 'send again')
  return verb.once(request, JSON.stringify(request.fields))
}
