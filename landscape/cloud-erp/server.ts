/** The cloud ERP's API: OAuth token, OData entities with etags, Idempotency-Key, $batch. */
import { parsed } from '../fields.ts'
import type { Books } from '../erp/books.ts'
import type { BookTruth } from '../erp/documents.ts'
import {
  json,
  startSystem,
  systemTools,
  type Call,
  type Operation,
  type Reply,
  type ServerOptions,
  type SystemHandle,
} from '../server.ts'
import { type Clerks, clerks } from '../erp/open-orders.ts'
import type { PurchaseOrders } from '../erp/purchase-orders.ts'
import type { World } from '../world/world.ts'
import { batchOf, batchReply } from './batch.ts'
import { entities, refusal, type Request } from './entities.ts'
import {
  type CloudMemory,
  cloudStore,
  recallCloud,
  rememberCloud,
  TOKEN_SECONDS,
  type CloudStore,
} from './store.ts'

export const CLOUD_ERP = 'erp-cloud'
const ROOT = '/api/v2.0/'

export type CloudErp = SystemHandle<BookTruth> & {
  /** Ends every access token before its time. */
  endTokens(): void
  changeCustomer: Books['changeCustomer']
  changePurchase: PurchaseOrders['change']
  /** What its own people do with orders. */
  clerks: Clerks
}

type Credentials = { id: string; secret: string }

function token(store: CloudStore, credentials: Credentials, call: Call): Reply {
  const form = new URLSearchParams(call.body)
  const known = form.get('client_id') === credentials.id && form.get('client_secret') === credentials.secret
  if (form.get('grant_type') !== 'client_credentials' || !known) return json(401, { error: 'invalid_client' })
  return json(200, { token_type: 'Bearer', expires_in: TOKEN_SECONDS, access_token: store.newToken() })
}

function isAuthorized(store: CloudStore, call: Call, nowMs: number): boolean {
  const header = call.headers['authorization']
  const until = typeof header === 'string' ? store.tokens.get(header.replace(/^Bearer /, '')) : undefined
  return until !== undefined && nowMs < until
}

export async function startCloudErp(
  world: World,
  options: ServerOptions,
  credentials: Credentials,
): Promise<CloudErp> {
  const store = cloudStore(world, 'NWI', options)
  if (options.memory) recallCloud(store, options.memory as CloudMemory)
  const tools = systemTools(options, CLOUD_ERP)
  const verbOf = entities(store, world)

  const guarded =
    (call: Call, run: () => Reply): (() => Reply) =>
    () =>
      isAuthorized(store, call, options.clock.monotonicMs())
        ? run()
        : refusal(401, 'Authentication_InvalidCredentials', 'the token is missing or has expired')

  function operation(call: Call): Operation | undefined {
    if (call.path === '/oauth2/v2.0/token')
      return { name: 'token', keys: [], run: () => token(store, credentials, call) }
    if (!call.path.startsWith(ROOT)) return undefined
    const fields = parsed(call.body)
    const room = decodeURIComponent(call.path.slice(ROOT.length))
    if (room === '$batch') {
      const batch = batchOf(fields, verbOf)
      const run = guarded(call, () => batchReply(batch, tools, options.seed))
      return { name: batch.name, keys: batch.keys, run }
    }
    const request: Request = {
      method: call.method,
      url: room,
      query: call.query,
      headers: call.headers,
      fields: fields ?? {},
    }
    const verb = verbOf(request)
    if (!verb) return undefined
    const run = guarded(call, () =>
      fields
        ? verb.once(request, JSON.stringify(fields))
        : refusal(400, 'BadRequest', 'the body is not JSON'),
    )
    return { name: verb.name, keys: verb.keys(request), run }
  }

  const door = {
    system: CLOUD_ERP,
    operation,
    trouble: (status: number, detail: string): Reply => {
      if (status === 404) return refusal(404, 'BadRequest_NotFound', `no resource ${detail}`)
      return refusal(status, status === 429 ? 'Application_TooManyRequests' : 'Application_Busy', detail)
    },
    truth: () => store.books.truth(),
    remember: () => rememberCloud(store),
  }
  const handle = await startSystem(door, tools, options)
  return {
    ...handle,
    endTokens: () => store.tokens.clear(),
    changeCustomer: (number, change) => store.books.changeCustomer(number, change),
    changePurchase: (id, change) => store.purchases.change(id, change),
    clerks: clerks(store.books, store.stock),
  }
}
