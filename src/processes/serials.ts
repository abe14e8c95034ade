/** What is told of serials, booked beside the quantities; where it contradicts itself or them, somebody is told until it does not. */
import type { Database, Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { isOwn, type Owned, ownerOf } from '#domains/inventory/contract/owners.ts'
import type { SerialBucket, SerialDoubt, SerialRow, SerialTold } from '#domains/inventory/contract/serials.ts'
import {
  countSerialsAt,
  differingBuckets,
  doubtedSerials,
  type SerialChange,
  type SerialCount,
  type SerialSite,
  settleSerials,
  takeSerials,
} from '#domains/inventory/operations/serials.ts'
import { controlledItems, findItemsById } from '#domains/items/operations.ts'
import type { ProcessPorts } from './ports.ts'

/** What was told of units of items that are known by their serials, and the places whose quantities moved with it. */
export type SerialsDue = {
  readonly told: readonly SerialTold[]
  readonly sites: readonly SerialSite[]
}
export const NO_SERIALS: SerialsDue = { told: [], sites: [] }

export const serialsTogether = (...some: readonly SerialsDue[]): SerialsDue => ({
  told: some.flatMap(({ told }) => told),
  sites: some.flatMap(({ sites }) => sites),
})

type Ports = Pick<ProcessPorts, 'openExceptions'>

/** After the quantities are booked. Costs nothing where no item has serials. */
export async function trackSerials(
  tx: Transaction,
  ports: Ports,
  { told, sites }: SerialsDue,
): Promise<void> {
  if (sites.length === 0 && told.length === 0) return
  const { changes, counts } = await takeSerials(tx, told, sites)
  const items = await findItemsById(tx, [...new Set(counts.map(({ itemId }) => itemId))])
  const skus = new Map([...items.values()].map(({ id, sku }) => [id, sku]))
  await tellDoubts(tx, ports, changes, skus)
  await tellCounts(tx, ports, counts, skus)
}

const CODES = {
  elsewhere: 'inventory.serial_elsewhere',
  'never-here': 'inventory.serial_never_here',
  'here-already': 'inventory.serial_here_already',
} as const satisfies Record<SerialDoubt, string>

const doubtCause = ({ itemId, serial }: SerialRow, doubt: SerialDoubt): string =>
  `${CODES[doubt]}:${itemId}:${serial}`

type Skus = ReadonlyMap<number, string>

/** Named where it is not ours. */
const stockOf = (of: Owned): string => (isOwn(of) ? '' : ` of ${ownerOf(of)}`)

async function tellDoubts(
  tx: Transaction,
  ports: Ports,
  changes: readonly SerialChange[],
  skus: Skus,
): Promise<void> {
  const ended = changes.filter(({ before, after }) => before.doubt !== null && before.doubt !== after.doubt)
  await closeDoubts(
    tx,
    ended.map(({ before }) => before),
  )
  await ports.openExceptions(
    tx,
    changes.flatMap(({ after }) => (after.doubt === null ? [] : [doubtful(after, after.doubt, skus)])),
  )
}

const closeDoubts = (tx: Transaction, rows: readonly SerialRow[]): Promise<unknown> =>
  closeExceptions(
    tx,
    rows.map((row) => ({ company: row.company, cause: doubtCause(row, row.doubt!) })),
    'what was missing was told',
  )

function doubtful(row: SerialRow, doubt: SerialDoubt, skus: Skus): Occurrence {
  const { company, itemId, serial, doubtLocation, bucket, location } = row
  const sku = skus.get(itemId)!
  const unit = `${serial} of ${sku}`
  const now = location === null ? bucket : `${bucket}${stockOf(row)} at ${location}`
  const there = `${doubtLocation}${stockOf({ owner: row.doubtOwner })}`
  const words = {
    elsewhere: {
      title: `${unit} is told of at ${there}, and is ${now}`,
      suggestedAction: `Look for it at ${there}: enter how it left, or count the item there with its serials.`,
    },
    'never-here': {
      title: `${unit} left ${there}, where it had not come`,
      suggestedAction:
        'Ask the warehouse which unit it was; find the receipt that was never told, or count the item with its serials.',
    },
    'here-already': {
      title: `${unit} came to ${there}, where it was already`,
      suggestedAction:
        'Look at the units: one of them has another serial, or it was told twice. Then count the item with its serials.',
    },
  }[doubt]
  return {
    company,
    cause: doubtCause(row, doubt),
    code: CODES[doubt],
    ...words,
    facts: { sku, serial, location: doubtLocation!, owner: row.doubtOwner, now },
  }
}

const DIFFER = 'inventory.serials_differ'
const countCause = ({ itemId, location, ...of }: Omit<SerialSite, 'company'>): string =>
  `${DIFFER}:${isOwn(of) ? itemId : `${itemId}@${ownerOf(of)}`}:${location}`

/** Told while a place has more or fewer units of an owner than serials, status by status. */
async function tellCounts(
  tx: Transaction,
  ports: Ports,
  counts: readonly SerialCount[],
  skus: Skus,
): Promise<void> {
  const differing = counts.map((count) => ({ count, buckets: differingBuckets(count) }))
  await ports.openExceptions(
    tx,
    differing
      .filter(({ buckets }) => buckets.length > 0)
      .map(({ count, buckets }) => differs(count, buckets, skus.get(count.itemId)!)),
  )
  await closeExceptions(
    tx,
    differing
      .filter(({ buckets }) => buckets.length === 0)
      .map(({ count }) => ({ company: count.company, cause: countCause(count) })),
    'there are as many serials as units',
  )
}

function differs(count: SerialCount, buckets: readonly SerialBucket[], sku: string): Occurrence {
  const { company, location, owner, quantities, serials } = count
  const each = buckets.map(
    (bucket) => `${formatQuantity(quantities[bucket])} ${bucket} and ${serials[bucket]} serials`,
  )
  return {
    company,
    cause: countCause(count),
    code: DIFFER,
    title: `${location} has${stockOf(count)} ${each.join(', ')} of ${sku}`,
    suggestedAction: 'Have the missing serials told, or count the item at the place and name its serials.',
    facts: { sku, location, owner, differs: each },
  }
}

type SerialWatch = {
  readonly database: Database
  readonly companies: readonly string[]
}

const PORTION = 500

/** One look at what was told: where a place has explained itself since, by whatever moved there, it is over. */
export async function watchSerials({ database, companies }: SerialWatch): Promise<void> {
  for (const company of companies) await watchDoubted(database, company)
  const told = await openCausesOf(database, companies, [DIFFER])
  for (let from = 0; from < told.length; from += PORTION) {
    const sites = told
      .slice(from, from + PORTION)
      .map(({ company, cause }) => ({ company, ...siteIn(cause) }))
    await database.transaction(async (tx) => {
      const counts = await countSerialsAt(tx, sites)
      const tracked = await controlledItems(tx, [...new Set(sites.map(({ itemId }) => itemId))])
      const agreeing = counts.filter(
        (count) => differingBuckets(count).length === 0 || tracked.get(count.itemId)?.serials !== true,
      )
      await closeExceptions(
        tx,
        agreeing.map((count) => ({ company: count.company, cause: countCause(count) })),
        'there are as many serials as units, or the item has none any more',
      )
    })
  }
}

async function watchDoubted(database: Database, company: string): Promise<void> {
  for (let after = { itemId: 0, serial: '' }; ;) {
    const page = await doubtedSerials(database, company, after, PORTION)
    if (page.length > 0)
      await database.transaction(async (tx) => closeDoubts(tx, await settleSerials(tx, page)))
    if (page.length < PORTION) return
    after = page.at(-1)!
  }
}

function siteIn(cause: string): Omit<SerialSite, 'company'> {
  const [, whose, ...location] = cause.split(':')
  const [itemId, owner] = whose!.split('@')
  return { itemId: Number(itemId), location: location.join(':'), owner }
}
