/** People put stock right: at once, or when another person agrees; once per key, or only to see what would be. */
import { recordAudit } from '#platform/audit.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import { formatAmount } from '#platform/money.ts'
import type { Docket } from '#platform/process.ts'
import type { Runner } from '#platform/runner.ts'
import type {
  Adjustment,
  AdjustmentAnswer,
  AdjustmentRequest,
} from '#domains/inventory/contract/adjustments.ts'
import {
  addAdjustment,
  bookAdjustment,
  compareCounts,
  decideAdjustment,
  hasLot,
  lockAdjusted,
  lockedAdjustment,
  unreservedOf,
} from '#domains/inventory/operations/adjustments.ts'
import { tellAdjustment } from '#domains/inventory/views/adjustments.ts'
import { serialsAdjusted } from '#domains/inventory/operations/serials.ts'
import { controlledItems, findItems } from '#domains/items/operations.ts'
import { assertHandsOver, assertLotsKnown, readAdjustment } from './adjustment-request.ts'
import { valueOf, worthOf } from './adjustment-value.ts'
import { wakesOfFreed } from './order-undo.ts'
import { assertSerialsFit, unitsOf } from './named-serials.ts'
import { adjustmentNumber, type CompanyRules, type ProcessPorts } from './ports.ts'
import { forgetAdjustment, rememberAdjustment, untoldOf } from './stock-by-hand.ts'
import { NO_SERIALS, type SerialsDue, trackSerials } from './serials.ts'
import { reportStockDoubts } from './stock-doubts.ts'

export type AdjustmentPorts = Pick<ProcessPorts, 'clock' | 'ids' | 'findCompany' | 'openExceptions'>
export type AdjustmentWires = {
  readonly runner: Pick<Runner, 'transaction'>
  readonly ports: AdjustmentPorts
}

type By = {
  readonly actor: string
  readonly traceId?: string | undefined
  /** Absent where the caller does not repeat. */
  readonly claim?: Claim | undefined
}
export type AdjustmentCommand = By & { readonly request: AdjustmentRequest }
export type DecisionCommand = By & {
  readonly id: number
  readonly verdict: 'approve' | 'reject'
  readonly reason: string
}
type Reached = { readonly status: 200 | 201 | 202; readonly body: AdjustmentAnswer }
export type AdjustmentReached = Reached | Replay

/** Ends a dry run: the transaction that it is thrown in is rolled back. */
class Rehearsed extends Error {
  readonly answer: Reached
  constructor(body: AdjustmentAnswer) {
    super('a dry run is undone')
    this.answer = { status: 200, body }
  }
}

/** Booked, or kept until another person agrees where it is worth more than one may change alone. */
export async function adjustStock(
  queries: Queries,
  { runner, ports }: AdjustmentWires,
  { request, ...by }: AdjustmentCommand,
): Promise<AdjustmentReached> {
  const company = ports.findCompany(request.company)
  const now = ports.clock.now()
  const items = await findItems(
    queries,
    request.lines.map(({ sku }) => ({ company: company.code, sku })),
  )
  const lines = readAdjustment(request, { company, items })
  const [worth, [id]] = await Promise.all([
    worthOf(queries, company, [...items.values()], now),
    ports.ids.documents(1),
  ])
  try {
    return await runner.transaction(causeOf(by), async (tx, turn) => {
      const earlier = request.dryRun ? undefined : await earlierOf(tx, by.claim)
      if (earlier) return earlier
      const positions = await lockAdjusted(tx, lines)
      assertLotsKnown(lines, (line) => hasLot(positions, line))
      assertHandsOver(lines, (line) => unreservedOf(positions, line))
      await assertSerialsFit(tx, unitsOf(company.code, lines))
      const compared = compareCounts(lines, positions)
      const valueMinor = valueOf(compared, worth) ?? null
      const adjustment = {
        ...newAdjustment(request, company, { id: id!, requestedAt: now, requestedBy: by.actor }),
        state: needsAnother(company, valueMinor) ? ('pending' as const) : ('booked' as const),
        valueMinor,
        lines: compared,
      }
      addAdjustment(tx, adjustment, causeOf(by))
      rememberAdjustment(tx, adjustment)
      audit(tx, adjustment, by, 'inventory.adjust')
      if (adjustment.state === 'booked') await book(tx, turn, ports, { adjustment, positions, at: now })
      else await ports.openExceptions(tx, [waitsFor(adjustment)])
      const body = tellAdjustment(adjustment, adjustmentNumber, request.dryRun)
      if (request.dryRun) throw new Rehearsed(body)
      return kept(tx, by.claim, { status: adjustment.state === 'booked' ? 201 : 202, body })
    })
  } catch (error) {
    if (error instanceof Rehearsed) return error.answer
    throw error
  }
}

/** What waits is booked, or not; whoever entered it does not decide. */
export const decideOnAdjustment = (
  { runner, ports }: AdjustmentWires,
  { id, verdict, reason, ...by }: DecisionCommand,
): Promise<AdjustmentReached> =>
  runner.transaction(causeOf(by), async (tx, turn) => {
    const earlier = await earlierOf(tx, by.claim)
    if (earlier) return earlier
    const found = await lockedAdjustment(tx, id)
    if (!found)
      throw new Refusal('inventory.adjustment_unknown', `there is no adjustment ${adjustmentNumber(id)}`)
    assertMayDecide(found, by.actor)
    const now = ports.clock.now()
    const adjustment: Adjustment = {
      ...found,
      state: verdict === 'approve' ? 'booked' : 'rejected',
      decidedBy: by.actor,
      decidedAt: now,
      decision: reason,
      version: found.version + 1,
    }
    const positions = verdict === 'approve' ? await lockAdjusted(tx, found.lines) : []
    if (verdict === 'approve') await assertStillHis(tx, found, positions)
    decideAdjustment(tx, adjustment, causeOf(by))
    audit(tx, adjustment, { ...by, reason }, `inventory.${verdict}_adjustment`)
    if (verdict === 'approve')
      await book(tx, turn, ports, { adjustment: await untoldOf(tx, adjustment), positions, at: now })
    else await forgetAdjustment(tx, adjustment)
    const { company, cause } = waitsFor(adjustment)
    await closeExceptions(
      tx,
      [{ company, cause }],
      verdict === 'approve' ? 'it was approved' : 'it was rejected',
    )
    return kept(tx, by.claim, { status: 200, body: tellAdjustment(adjustment, adjustmentNumber, false) })
  })

/** What is handed over may have gone since it was entered, as a quantity or as units. */
async function assertStillHis(
  tx: Transaction,
  { company, lines }: Adjustment,
  positions: Booked['positions'],
): Promise<void> {
  assertHandsOver(lines, (line) => unreservedOf(positions, line))
  await assertSerialsFit(
    tx,
    unitsOf(
      company,
      lines.filter(({ kind }) => kind === 'handed-over'),
    ),
  )
}

function assertMayDecide({ id, state, requestedBy, decidedBy }: Adjustment, actor: string): void {
  const number = adjustmentNumber(id)
  if (state !== 'pending') {
    const by = decidedBy ?? requestedBy
    throw new Refusal('inventory.adjustment_decided', `${number} was ${state} by ${by}`, { state })
  }
  if (requestedBy !== actor) return
  throw new Refusal(
    'inventory.second_person_needed',
    `${number} was entered by ${actor}; another person decides`,
  )
}

const needsAnother = ({ adjustments }: CompanyRules, valueMinor: number | null): boolean =>
  valueMinor === null || valueMinor > adjustments.approveAboveMinor

const causeOf = ({ actor, traceId }: By): Cause => ({ source: 'adjustments', actor, traceId })

const earlierOf = async (tx: Transaction, wanted: Claim | undefined): Promise<Replay | undefined> =>
  wanted && settle((await claim(tx, [wanted])).get(wanted)!)

function kept(tx: Transaction, wanted: Claim | undefined, answer: Reached): Reached {
  if (wanted) record(tx, [{ ...wanted, ...answer }])
  return answer
}

const newAdjustment = (
  { reason, reference, note }: AdjustmentRequest,
  { code, currency }: CompanyRules,
  entered: Pick<Adjustment, 'id' | 'requestedAt' | 'requestedBy'>,
) => ({
  ...entered,
  company: code,
  currency,
  reason,
  reference,
  note: note ?? null,
  decidedBy: null,
  decidedAt: null,
  decision: null,
  version: 1,
})

type Booked = {
  readonly adjustment: Adjustment
  readonly positions: Awaited<ReturnType<typeof lockAdjusted>>
  readonly at: Date
}

/** What is free now is given to who waits for it; what cannot be explained is told. */
async function book(
  tx: Transaction,
  turn: Docket,
  ports: AdjustmentPorts,
  { adjustment, positions, at }: Booked,
): Promise<void> {
  const number = adjustmentNumber(adjustment.id)
  const { changes, shortfalls } = await bookAdjustment(tx, adjustment, { number, at, positions })
  const explained = changes.filter(({ from, to }) => from === 'unreconciled' || to === 'unreconciled')
  await reportStockDoubts(tx, ports, [...shortfalls, ...explained])
  await trackSerials(tx, ports, await serialsOf(tx, adjustment, { number, at }))
  turn.wakeAfterwards(
    await wakesOfFreed(
      tx,
      changes.map(({ itemId }) => itemId),
    ),
  )
}

/** Of items whose units have serials: what is said of each, and the places where it moved. */
async function serialsOf(
  tx: Transaction,
  adjustment: Adjustment,
  booking: { readonly number: string; readonly at: Date },
): Promise<SerialsDue> {
  const { company, lines } = adjustment
  const controlled = await controlledItems(tx, [...new Set(lines.map(({ itemId }) => itemId))])
  const tracked = lines.filter(({ itemId }) => controlled.get(itemId)?.serials === true)
  if (tracked.length === 0) return NO_SERIALS
  const sites = tracked.flatMap(({ itemId, location, place, owner, toOwner }) => [
    { company, itemId, location, owner },
    { company, itemId, location: place ?? location, owner: toOwner ?? owner },
  ])
  return { told: await serialsAdjusted(tx, { ...adjustment, lines: tracked }, booking), sites }
}

const waitsFor = ({ id, company, reference, requestedBy, valueMinor, currency }: Adjustment) => {
  const number = adjustmentNumber(id)
  const worth =
    valueMinor === null
      ? 'of an item without a price'
      : `of ${formatAmount(valueMinor, currency)} ${currency}`
  return {
    company,
    cause: `inventory.adjustment_waits:${number}`,
    code: 'inventory.adjustment_waits',
    title: `${number} changes stock ${worth} and waits for another person`,
    suggestedAction: `Look at ${reference}, then approve or reject it: POST /process/inventory/v1/adjustments/${number}:approve`,
    facts: { adjustment: number, reference, requestedBy },
  }
}

function audit(
  tx: Transaction,
  { id, company, state, reason, reference, lines }: Adjustment,
  { actor, traceId, reason: why }: By & { readonly reason?: string },
  action: string,
): void {
  const after = {
    state,
    reason,
    reference,
    lines: lines.map(({ sku, kind, location }) => `${kind} ${sku} ${location}`),
  }
  recordAudit(tx, [
    {
      actor,
      action,
      company,
      kind: 'adjustment',
      doc: id,
      reason: why ?? `${reason}: ${reference}`,
      after,
      traceId,
    },
  ])
}
