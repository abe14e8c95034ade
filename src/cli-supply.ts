/** `crossdock inventory supply`: what suppliers are to deliver. */
import { type Context, EXIT, minute, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { tellComing, toldOf } from './domains/supply/views/coming.ts'
import { listSupply, suppliedOf, tellSupply } from './domains/supply/views.ts'
import type { Database } from './platform/database.ts'

type Asked = {
  readonly company?: string
  readonly item?: string
  readonly location?: string
  readonly before?: string
}

export async function inventorySupply(context: Context): Promise<number> {
  const limit = limitOf(context)
  const asked = context.options as Asked
  const expectedBefore = dayOf(asked.before)
  const { database } = await openDatabase(context)
  const subject = await subjectOf(database, asked)
  const where = { location: asked.location, expectedBefore }
  const lines = subject ? await listSupply(database, { ...subject, ...where }, { limit }) : []
  const told = await toldOf(database, lines)
  const rows = lines.map((line) => ({ ...tellSupply(line), ...tellComing(told.get(line)!) }))
  printList(context.terminal, rows, {
    'PURCHASE ORDER': ({ purchaseOrder }) => purchaseOrder,
    LINE: ({ line }) => String(line),
    SUPPLIER: ({ supplier }) => supplier,
    ITEM: ({ item }) => item,
    TO: ({ location }) => location,
    ORDERED: ({ ordered }) => ordered,
    RECEIVED: ({ received }) => received,
    'TO COME': ({ open }) => open,
    'ORDERED FOR': ({ expectedOn }) => expectedOn ?? '–',
    'HOW IT COMES': ({ coming, refused }) =>
      [
        ...coming.map(({ basis, quantity, expectedOn = '–' }) => `${quantity} ${basis} ${expectedOn}`),
        ...(refused === undefined ? [] : [`${refused} refused`]),
      ].join(', '),
    'AS OF': ({ asOf }) => minute(new Date(asOf)),
  })
  if (lines.length === 0) context.terminal.note('Nothing is to come.')
  return EXIT.ok
}

function dayOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const day = new Date(`${text}T00:00:00Z`)
  if (!Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) && text.length === 10) return text
  throw wrongUse(`"${text}" is not a day.`, 'For example: --before 2026-12-01')
}

/** The company that is named or the only one of which something is to come, and the item there; undefined: of none. */
async function subjectOf(database: Database, { company, item }: Asked) {
  const found = await suppliedOf(database, { company, sku: item })
  const companies = [...new Set(found.map((one) => one.company))]
  if (companies.length > 1)
    throw wrongUse(
      `Of ${companies.join(' and ')} something is to come.`,
      `Name one: --company ${companies[0]}`,
    )
  const [only] = found
  return only && { company: only.company, itemId: only.itemId ?? undefined }
}
