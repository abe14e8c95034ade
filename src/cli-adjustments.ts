/** `crossdock inventory adjust|adjustments|decide`: people put stock right, and another person agrees. */
import type { App } from './app.ts'
import { type Context, EXIT, minute, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import { limitOf } from './cli-orders.ts'
import { readTyped } from './cli-typed.ts'
import { type AdjustmentAnswer, AdjustmentRequest } from './domains/inventory/contract/adjustments.ts'

/** Who says it, in documents and audit: whoever may run commands on this machine. */
export const actorOf = (by: string | undefined): string => (by === undefined ? 'cli' : `cli:${by}`)

type Options = {
  readonly company?: string
  readonly location: string
  readonly lot?: string
  readonly owner?: string
  readonly toOwner?: string
  readonly serial?: readonly string[]
  readonly status?: string
  readonly toStatus?: string
  readonly transfer?: string
  readonly to?: string
  readonly quantity: string
  readonly unit?: string
  readonly reason: string
  readonly reference: string
  readonly note?: string
  readonly by?: string
  readonly dryRun?: boolean
}

const OF_A_LINE = [
  'location',
  'lot',
  'owner',
  'toOwner',
  'status',
  'toStatus',
  'transfer',
  'to',
  'quantity',
  'unit',
] as const satisfies readonly (keyof Options)[]

export async function inventoryAdjust(context: Context): Promise<number> {
  const [kind, sku] = context.args
  const options = context.options as Options
  const { company, reason, reference, note, by, dryRun = false, serial: serials } = options
  const opened = await openDatabase(context)
  const fields = Object.fromEntries(OF_A_LINE.map((field) => [field, options[field]]))
  const line = { kind, sku, serials, ...fields }
  const named = company ?? onlyCompany(opened.config.companies)
  const typed = { company: named, reason, reference, note, dryRun, lines: [line] }
  const request = readTyped(AdjustmentRequest, typed, 'See: crossdock inventory adjust --help')
  const app = await openDoors(context, opened)
  const answer = bodyOf(await app.adjust({ request, actor: actorOf(by) }))
  context.terminal.data(answer, () => told(answer))
  return EXIT.ok
}

export function onlyCompany(companies: readonly { readonly code: string }[]): string {
  if (companies.length === 1) return companies[0]!.code
  const known = companies.map(({ code }) => code).join(', ')
  throw wrongUse('Whose stock is it?', `Name the company with --company${known && `; there are: ${known}`}`)
}

const bodyOf = (given: Awaited<ReturnType<App['adjust']>>): AdjustmentAnswer =>
  'body' in given ? given.body : (given.replayed.body as AdjustmentAnswer)

const STATES = {
  pending: 'waits for another person',
  booked: 'is booked',
  rejected: 'is rejected',
} as const

function told({ id, state, value, currency, lines, dryRun }: AdjustmentAnswer): string {
  const worth = value === undefined ? 'of an item without a price' : `worth ${value} ${currency}`
  const what = dryRun
    ? `It would be ${state === 'pending' ? 'kept for another person' : 'booked'}`
    : `${id} ${STATES[state]}`
  return [
    `${what}, ${worth}`,
    ...lines.map(({ kind, sku, location, lot, owner, toOwner, quantity, unit, difference }) => {
      const found = difference === undefined ? '' : `, ${difference} against the books`
      const whose = owner === undefined ? '' : ` of ${owner}`
      const whoseNow = toOwner === undefined ? '' : ` to ${toOwner}`
      return `  ${kind} ${quantity} ${unit} of ${sku}${whose}${whoseNow}${lot === undefined ? '' : `, lot ${lot},`} at ${location}${found}`
    }),
  ].join('\n')
}

export async function inventoryDecide(context: Context): Promise<number> {
  const [text = ''] = context.args
  const { approve, reject, reason, by } = context.options as {
    approve?: boolean
    reject?: boolean
    reason: string
    by?: string
  }
  const digits = /^A-(\d{1,15})$/.exec(text)?.[1]
  if (digits === undefined)
    throw wrongUse(`"${text}" is no number of an adjustment.`, 'List them: crossdock inventory adjustments')
  if (approve === reject) throw wrongUse('One decision is needed.', 'Either --approve or --reject')
  const app = await openDoors(context, await openDatabase(context))
  const verdict = approve ? 'approve' : 'reject'
  const answer = bodyOf(await app.decide({ id: Number(digits), verdict, reason, actor: actorOf(by) }))
  context.terminal.data(answer, () => told(answer))
  return EXIT.ok
}

export async function inventoryAdjustments(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { company, state } = context.options as { company?: string; state?: AdjustmentAnswer['state'] }
  const { database, config } = await openDatabase(context)
  const wanted = company ?? onlyCompany(config.companies)
  const { listedAdjustments } = await import('./app-ledger.ts')
  const found = await listedAdjustments(database, { company: wanted, state }, limit)
  printList(context.terminal, found, {
    ID: ({ id }) => id,
    STATE: ({ state: now }) => now,
    REASON: ({ reason }) => reason,
    REFERENCE: ({ reference }) => reference,
    VALUE: ({ value, currency }) => (value === undefined ? '–' : `${value} ${currency}`),
    LINES: ({ lines }) => String(lines.length),
    BY: ({ requestedBy }) => requestedBy,
    AT: ({ requestedAt }) => minute(new Date(requestedAt)),
    'DECIDED BY': ({ decidedBy }) => decidedBy ?? '–',
  })
  if (found.length === 0) context.terminal.note('There is none.')
  return EXIT.ok
}
