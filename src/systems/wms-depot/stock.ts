/** Snapshots of the stock at Depot: all pages of one moment of its sequence. */
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { StockPlace } from '#capabilities/wms.ts'
import { readable } from '#platform/connector-binding.ts'
import { Outage } from '#platform/faults.ts'
import type { DepotApi } from './api.ts'
import { toSnapshotLines } from './map.ts'
import { type DepotSnapshotPage, type DepotStockRow, snapshotPage } from './wire.ts'

const ROWS_PER_PAGE = 2_000
/** A snapshot whose pages tell of different moments is read anew this often. */
const TRIES = 3

export async function readSnapshot(api: DepotApi, place: StockPlace): Promise<StockSnapshot> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const pages = await readPages(api, place)
    if (pages) {
      const lines = readable(api.instance, () => toSnapshotLines(pages.rows))
      const { sequence: mark, takenAt } = pages.last
      return { ...place, lines, mark, takenAt, scope: 'location' }
    }
  }
  throw new Outage(api.instance, 'the stock changed between the pages of every snapshot')
}

type Pages = { readonly last: DepotSnapshotPage; readonly rows: readonly DepotStockRow[] }

/** Undefined when something happened between two pages. */
async function readPages(api: DepotApi, place: StockPlace): Promise<Pages | undefined> {
  let last = await readPage(api, place, undefined)
  const rows = [...last.rows]
  while (last.next !== undefined) {
    const page = await readPage(api, place, last.next)
    if (page.sequence !== last.sequence) return undefined
    for (const row of page.rows) rows.push(row)
    last = page
  }
  return { last, rows }
}

async function readPage(
  api: DepotApi,
  { company, location }: StockPlace,
  cursor: string | undefined,
): Promise<DepotSnapshotPage> {
  const query = new URLSearchParams({ site: location, owner: company, limit: String(ROWS_PER_PAGE) })
  if (cursor !== undefined) query.set('cursor', cursor)
  const response = await api.call('GET', `inventory/snapshot?${query.toString()}`)
  if (response.status !== 200) {
    throw new Outage(api.instance, `the stock snapshot was answered with ${response.status}`)
  }
  const answer: unknown = response.json()
  return readable(api.instance, () => snapshotPage(answer))
}
