/** `crossdock inventory lots|where-shipped|hold-lot|release-lot`: the lots of an item, to whom they went, held and let go. */
import type { App } from './app.ts'
import { type Context, EXIT, printList } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import { actorOf, onlyCompany } from './cli-adjustments.ts'
import { readTyped } from './cli-typed.ts'
import { type LotAnswer, LotRequest, type LotShipment } from './domains/inventory/contract/lots.ts'

const PAGE = 500

export async function inventoryLots(context: Context): Promise<number> {
  const [sku = ''] = context.args
  const { company } = context.options as { company?: string }
  const opened = await openDatabase(context)
  const app = await openDoors(context, opened)
  const found = await app.lots({ company: company ?? onlyCompany(opened.config.companies), sku })
  printList(context.terminal, found, {
    LOT: ({ lot }) => lot,
    LOCATION: ({ location }) => location,
    EXPIRES: ({ expiresOn }) => expiresOn ?? '–',
    AVAILABLE: ({ available }) => available,
    'ON HOLD': ({ qualityHold }) => qualityHold,
    HELD: ({ held }) => (held ? 'yes' : 'no'),
  })
  if (found.length === 0) context.terminal.note('There is none.')
  return EXIT.ok
}

/** All of them, since a recall leaves nobody out. */
export async function inventoryWhereShipped(context: Context): Promise<number> {
  const [sku = '', lot = ''] = context.args
  const { company } = context.options as { company?: string }
  const opened = await openDatabase(context)
  const app = await openDoors(context, opened)
  const of = { company: company ?? onlyCompany(opened.config.companies), sku, lot }
  const found: LotShipment[] = []
  for (let page = await app.lotShipments(of, undefined, PAGE); ;) {
    found.push(...page.items)
    if (!page.next) break
    page = await app.lotShipments(of, page.next, PAGE)
  }
  printList(context.terminal, found, {
    SHIPMENT: ({ shipment }) => shipment,
    SHIPPED: ({ shippedAt }) => shippedAt.slice(0, 16).replace('T', ' '),
    FROM: ({ location }) => location,
    CUSTOMER: ({ customer }) => customer,
    'CUSTOMER ORDER': ({ customerOrder }) => customerOrder,
    ORDER: ({ order }) => order,
    QUANTITY: ({ quantity }) => quantity,
    CARRIER: ({ carrier }) => carrier,
    'WAREHOUSE NUMBER': ({ number }) => number,
  })
  if (found.length === 0) context.terminal.note(`No shipment of lot ${lot} of ${sku} is booked.`)
  return EXIT.ok
}

export const inventoryHoldLot = (context: Context): Promise<number> => moveLot(context, 'hold')
export const inventoryReleaseLot = (context: Context): Promise<number> => moveLot(context, 'release')

async function moveLot(context: Context, verb: 'hold' | 'release'): Promise<number> {
  const [sku, lot] = context.args
  const { company, reason, by } = context.options as { company?: string; reason: string; by?: string }
  const opened = await openDatabase(context)
  const typed = { company: company ?? onlyCompany(opened.config.companies), sku, lot, reason }
  const request = readTyped(LotRequest, typed, `See: crossdock inventory ${verb}-lot --help`)
  const app = await openDoors(context, opened)
  const answer = bodyOf(await app.moveLot({ verb, request, actor: actorOf(by) }))
  context.terminal.data(answer, () => told(answer))
  return EXIT.ok
}

const bodyOf = (given: Awaited<ReturnType<App['moveLot']>>): LotAnswer =>
  'body' in given ? given.body : (given.replayed.body as LotAnswer)

const told = ({ sku, lot, held, moved, atRisk, waiting, requests, unit }: LotAnswer): string =>
  [
    `Lot ${lot} of ${sku} is ${held ? 'held' : 'released'}`,
    ...moved.map(({ location, quantity }) => `  ${quantity} ${unit} at ${location}`),
    ...waiting.map(
      ({ order, line, location, quantity }) =>
        `  ${order} line ${line} lost ${quantity} ${unit} at ${location} and waits`,
    ),
    ...requests.map(
      ({ request, order, location, quantity, stops }) =>
        `  ${request} of ${order}, ${quantity} ${unit}: ${location} ${stops ? 'is asked to stop' : 'picks already, call it'}`,
    ),
    ...atRisk.map(
      ({ location, quantity, documents }) =>
        `  ${quantity} ${unit} claimed at ${location} are not there: ${documents.join(', ')}`,
    ),
  ].join('\n')
