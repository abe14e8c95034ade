/** One change of stock leaves the house by every way there is, and each of them says what the availability door says. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { ediFolders, type EdiFolders, namesIn, sentTo } from '#tests/support/edi.ts'
import { openWholesaler, type Wholesaler } from '../processes/wholesaler.ts'
import { openReceiver, type Receiver } from '../routes/receiver.ts'

const [SKU, OTHER] = ['44001', '44002'] as const
const WITHIN = { timeout: 20_000, interval: 20 }
const told = { company: 'NWF', channel: 'shop' }
const SECOND_OF_MINUTE = 1 / 60

let folders: EdiFolders
let feeds: string
let receiver: Receiver
let house: Wholesaler
beforeAll(async () => {
  feeds = mkdtempSync(join(tmpdir(), 'crossdock-feeds-'))
  folders = ediFolders([
    PartnerGuide.parse({
      partner: 'buyer',
      name: 'Buyer',
      owner: 'edi-desk',
      role: 'customer',
      company: 'NWF',
      customer: '500001',
      currency: 'USD',
      theirs: { qualifier: 'ZZ', id: 'BUYER', groupId: 'BUYER' },
      ours: { qualifier: 'ZZ', id: 'US', groupId: 'US' },
      usage: 'P',
      receives: ['997'],
      sends: ['846'],
      items: [{ qualifier: 'VN', is: 'sku' }],
    }),
  ])
  house = await openWholesaler(
    [SKU, OTHER].map((number) => ({ number, stock: { DC1: 90, DC2: 10 } })),
    [{ number: '500001' }],
    {
      config: {
        edi: folders.config,
        publishing: {
          channels: ['shop'],
          shops: [{ system: 'shop', ...told }],
          partners: [{ partner: 'buyer', ...told, minutes: SECOND_OF_MINUTE }],
          files: [
            { name: 'lists', ...told, directory: feeds, seconds: 0.1 },
            { name: 'lines', ...told, directory: feeds, seconds: 0.1, format: 'jsonl' },
          ],
        },
      },
    },
  )
  receiver = await openReceiver()
  const subscription = { name: 'Shop', url: receiver.url, types: ['availability.changed'], payload: 'full' }
  const reply = await house.send('POST', '/experience/events/v1/subscriptions', { body: subscription })
  if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
  house.app.keepUp()
}, 60_000)
afterAll(async () => {
  await house.end()
  await receiver.end()
  folders.remove()
  rmSync(feeds, { recursive: true, force: true })
})

async function promised(sku: string): Promise<string> {
  const body = { ...told, maxAgeMs: 0, items: [{ sku }] }
  const reply = await house.send('POST', '/process/available-to-promise/v1/availability:query', { body })
  return (reply.body['items'] as { available: string }[])[0]!.available
}

type Figure = { readonly sku: string; readonly available: string }

async function byEvent(sku: string): Promise<string | undefined> {
  const rows = await house.query<{ available: string }>(
    `select data ->> 'available' as available from log.event
     where type = 'availability.changed' and data ->> 'sku' = $1 order by key_version`,
    [sku],
  )
  return rows.at(-1)?.available
}

const byWebhook = (sku: string): string | undefined =>
  receiver.received
    .map(({ body }) => (JSON.parse(body) as { data: Figure }).data)
    .findLast((one) => one.sku === sku)?.available

/** In the last 846 that names it. */
async function byEdi(sku: string): Promise<string | undefined> {
  const sets = (await sentTo(folders, 'buyer', '846')).map(({ set }) =>
    set.segments.map((segment) => segment.elements.join('*')).join('~'),
  )
  const named = sets.flatMap(
    (text) => new RegExp(`\\*VN\\*${sku}\\b[^~]*~QTY\\*33\\*([\\d.]+)`).exec(text)?.[1] ?? [],
  )
  return named.at(-1)
}

const newest = (ending: string): string =>
  readFileSync(
    join(
      feeds,
      namesIn(feeds).findLast((name) => !name.startsWith('.') && name.endsWith(ending))!,
    ),
    'utf8',
  )
const byList = (sku: string): string | undefined =>
  parse<Figure>(newest('.csv'), { columns: true }).find((one) => one.sku === sku)?.available
const byLine = (sku: string): string | undefined =>
  newest('.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Figure)
    .find((one) => one.sku === sku)?.available

const byShop = (sku: string): string =>
  String(house.landscape.shop.truth().levels[`northway-foods.shop.example/main/${sku}-EA`])

async function everywhere(sku: string) {
  return {
    event: await byEvent(sku),
    webhook: byWebhook(sku),
    edi: await byEdi(sku),
    list: byList(sku),
    line: byLine(sku),
    shop: byShop(sku),
  }
}
const all = (available: string) => ({
  event: available,
  webhook: available,
  edi: available,
  list: available,
  line: available,
  shop: available,
})

test('all of them say what the availability door says', async () => {
  await expect
    .poll(() => namesIn(feeds).filter((name) => name.endsWith('.jsonl')).length, WITHIN)
    .toBeGreaterThan(0)
  await expect
    .poll(() => namesIn(feeds).filter((name) => name.endsWith('.csv')).length, WITHIN)
    .toBeGreaterThan(0)
  await expect.poll(() => everywhere(SKU), WITHIN).toEqual(all('100'))
  house.count('DC1', SKU, -7)
  await expect.poll(() => promised(SKU), WITHIN).toBe('93')
  await expect.poll(() => everywhere(SKU), WITHIN).toEqual(all('93'))
  expect(await everywhere(OTHER)).toEqual(all(await promised(OTHER)))
}, 60_000)

test('many changes of one item leave as few, and the last is what each of them says', async () => {
  const before = receiver.received.length
  const left = String(Number(await promised(SKU)) - 20)
  for (let n = 0; n < 20; n++) house.count('DC1', SKU, -1)
  await expect.poll(() => promised(SKU), WITHIN).toBe(left)
  await expect.poll(() => everywhere(SKU), WITHIN).toEqual(all(left))
  expect(receiver.received.length - before).toBeLessThan(20)
}, 60_000)
