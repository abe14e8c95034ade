/** The counterparts of the torture, in a process of their own that no fault kills: their books are the evidence. */
import { draw } from '#landscape/random.ts'
import { DEFAULT_SHOPS } from '#landscape/shop/server.ts'
import { ATTEMPTS_MAX, httpPost, type Post } from '#landscape/webhooks.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import {
  CONFIGURED,
  counterpartsOf,
  deliverToUs,
  type Teller,
  TRADE,
} from '#tests/simulation/counterparts.ts'
import type { Entry } from './history.ts'
import { keyOf, subjectOf, worldOf, type WorldOfRun } from './world.ts'

export type LandscapeWish =
  /** Where each tells us. */
  | { readonly kind: 'deliver'; readonly doors: Readonly<Record<Teller, string>> }
  /** A buyer orders in the shop. */
  | { readonly kind: 'place'; readonly nth: number }
  | { readonly kind: 'redeliver' }
  | { readonly kind: 'receive-all' }

export type LandscapeNews =
  | { readonly kind: 'ready'; readonly urls: Readonly<Record<keyof typeof CONFIGURED, string>> }
  /** A shop tells us of an order, and hears. */
  | { readonly kind: 'told'; readonly entry: Omit<Entry, 'atMs'> }

const TRADE_SHARE = 0.5
const CREATED = 'orders/create'

const run = JSON.parse(process.argv[2]!) as WorldOfRun
const world = worldOf(run)
const tell = (news: LandscapeNews): void => void process.send!(news)

/** How often shops have told of an order. */
const attempts = new Map<WorldOrder, number>()
/** Places in the stream of orders, by domain and number of the shop. */
const placed = new Map<string, WorldOrder>()
const { post: send } = httpPost()
let calls = 0

const post: Post = async (url, headers, body) => {
  if (headers['x-shop-topic'] !== CREATED) return send(url, headers, body)
  // A shop tells of an order in the same turn in which it is placed.
  await Promise.resolve()
  const order = placed.get(`${headers['x-shop-domain']} ${(JSON.parse(body) as { id: number }).id}`)!
  const call = calls++
  const attempt = (attempts.get(order) ?? 0) + 1
  attempts.set(order, attempt)
  const write = (kind: Entry['kind'], status?: number): void => {
    const known = status === undefined ? {} : { status }
    const about = { call, operation: 'tell', key: keyOf(order), subject: subjectOf(order) } as const
    tell({ kind: 'told', entry: { ...about, kind, ...known } })
  }
  write('invoke')
  const status = await send(url, headers, body).catch(() => undefined)
  if (status !== undefined && status < 300) write('ok', status)
  else write(attempt < ATTEMPTS_MAX ? 'info' : 'given-up', status)
  return status ?? 0
}

const counterparts = await counterpartsOf(run.seed, world, { clock, post, sockets: 'free' })
const { shop, tradeShop, wms, eastWms } = counterparts

/** A customer always buys on the same platform. */
function place(order: WorldOrder): void {
  const { company, customer } = order
  const isTrade = company === TRADE.company && draw(run.seed, 'trade', customer) < TRADE_SHARE
  const { domain } = isTrade ? TRADE : DEFAULT_SHOPS.find((one) => one.company === company)!
  const { id } = (isTrade ? tradeShop : shop).place(order)
  placed.set(`${domain} ${id}`, order)
}

process.on('message', (wish: LandscapeWish) => {
  if (wish.kind === 'deliver') deliverToUs(counterparts, (teller) => wish.doors[teller])
  if (wish.kind === 'place') place(world.orders(1, wish.nth)[0]!)
  if (wish.kind === 'redeliver') for (const teller of [wms, eastWms, shop, tradeShop]) teller.redeliver()
  if (wish.kind === 'receive-all') for (const warehouse of [wms, eastWms]) warehouse.receiveAll()
})
process.on('disconnect', () => process.exit(0))

const urls = Object.fromEntries(
  (Object.keys(CONFIGURED) as (keyof typeof CONFIGURED)[]).map((name) => [name, counterparts[name].url]),
) as Record<keyof typeof CONFIGURED, string>
tell({ kind: 'ready', urls })
