/** What a warehouse will not fill is its order's own claim again, as far as there is stock for it. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import { takeBack } from '#domains/inventory/operations.ts'
import { giveUpLost } from '#domains/inventory/operations/lost-stock.ts'
import { loseAllocations, moveLines } from '#domains/orders/operations.ts'
import { type OpenLine, writeOffRequests } from '#domains/shipments/operations.ts'
import { queueLost } from './lost-stock.ts'
import { groupBy, type OrderFacts } from './order-facts.ts'
import { wakesOfFreed } from './order-undo.ts'
import { type Deed, lookAll, type OrderWork } from './order-work.ts'
import { wholePart } from './ordered-unit.ts'
import type { ProcessPorts } from './ports.ts'
import { reportStockDoubts } from './stock-doubts.ts'

type Back = Omit<OpenLine, 'doc'> & {
  readonly facts: OrderFacts
  readonly doc: number
  readonly company: string
  readonly location: string
  /** What of it has no stock any more, since a lot is on hold. */
  readonly lost: Quantity
}

export const reclaim =
  (ports: Pick<ProcessPorts, 'clock' | 'openExceptions'>): Deed =>
  async (tx, works, cause) => {
    const back = await withLost(tx, ports, await writtenOff(tx, works))
    takeBack(
      tx,
      back.flatMap(({ lost, quantity, ...claim }) => {
        if (quantity <= lost) return []
        const { minimumShelfLifeDays } = lineOf(claim)
        return [{ ...claim, minimumShelfLifeDays, quantity: quantity - lost }]
      }),
    )
    await tell(tx, works, back, cause)
    await letWait(tx, back, cause)
    await reportStockDoubts(
      tx,
      ports,
      back.filter(({ lost }) => lost > 0),
    )
    const freed = back.flatMap(({ lost, itemId }) => (lost > 0 ? [itemId] : []))
    return lookAll(works, { wakes: freed.length > 0 ? await wakesOfFreed(tx, freed) : [] })
  }

async function writtenOff(tx: Transaction, works: readonly OrderWork[]): Promise<Omit<Back, 'lost'>[]> {
  const requests = works.flatMap(({ facts, subjects }) =>
    facts.fulfillments
      .filter((request) => subjects.includes(String(request.doc)))
      .map((request) => ({ facts, request })),
  )
  const lines = await writeOffRequests(
    tx,
    requests.map(({ request }) => request.doc),
  )
  const linesOf = Map.groupBy(lines, (line) => line.doc)
  return requests.flatMap(({ facts, request }) =>
    (linesOf.get(request.doc) ?? []).map((line) => ({
      ...line,
      facts,
      doc: facts.doc,
      company: facts.company,
      location: request.location,
    })),
  )
}

/** An order that is being taken back needs no stock; a line that is shipped whole gives up all or nothing. */
async function withLost(
  tx: Transaction,
  { clock }: Pick<ProcessPorts, 'clock'>,
  back: readonly Omit<Back, 'lost'>[],
): Promise<Back[]> {
  const claims = back.flatMap((one, at) => {
    const { order } = one.facts
    if (order.cancelRequested) return []
    const part = order.shippingRule === 'line-complete' ? one.quantity : wholePart(lineOf(one))
    return [{ ...one, part, at }]
  })
  const now = clock.now()
  const act = { source: 'lots', sourceKey: `claims/${now.toISOString()}`, at: now }
  const lost = new Map((await giveUpLost(tx, claims, act)).map(({ at, quantity }) => [at, quantity]))
  return back.map((one, at) => ({ ...one, lost: lost.get(at) ?? 0 }))
}

const lineOf = ({ facts, line }: Pick<Back, 'facts' | 'line'>) => facts.lines.find(({ n }) => n === line)!

async function tell(
  tx: Transaction,
  works: readonly OrderWork[],
  back: readonly Back[],
  cause: Cause,
): Promise<void> {
  const backOf = groupBy(back, ({ doc }) => doc)
  await moveLines(
    tx,
    works.map(({ facts }) => ({
      ...facts,
      data: { lines: backOf(facts.doc).map(({ line }) => line) },
      lines: backOf(facts.doc).map(({ line, quantity, was }) => ({
        n: line,
        released: -was.released,
        picked: -was.picked,
        packed: -was.packed,
        reserved: quantity,
      })),
    })),
    'order.release_taken_back',
    cause,
  )
}

/** What has no stock any more waits again, behind all who wait. */
async function letWait(tx: Transaction, back: readonly Back[], cause: Cause): Promise<void> {
  const lost = [...Map.groupBy(back, ({ doc, line }) => `${doc} ${line}`).values()].flatMap((own) => {
    const quantity = own.reduce((sum, one) => sum + one.lost, 0)
    return quantity > 0
      ? [{ facts: own[0]!.facts, order: own[0]!.facts.order, line: lineOf(own[0]!), quantity }]
      : []
  })
  if (lost.length === 0) return
  queueLost(tx, lost)
  const told = [...Map.groupBy(lost, ({ facts }) => facts)].map(([facts, own]) => ({
    ...facts,
    data: { lines: own.map(({ line }) => line.n) },
    lines: own.map(({ line: { n }, quantity }) => ({ n, reserved: -quantity, backordered: quantity })),
  }))
  await loseAllocations(tx, told, cause)
}
