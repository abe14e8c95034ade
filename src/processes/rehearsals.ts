/** What would become of parked work, found out in a transaction that is undone: who would be told and called, what would change. */
import type { Connector } from '#platform/connector.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { deskRowsOf } from '#platform/desk-pages.ts'
import { effectKey, intentsOf, nextAttempt } from '#platform/effects.ts'
import { Refusal } from '#platform/faults.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import { bindingOf } from '#platform/lanes.ts'
import type { Cause } from '#platform/log.ts'
import { rootsOf, toldWithin } from '#platform/log-roots.ts'
import { isBusy, isOutage } from '#platform/outage.ts'
import { type ParkedItem, replay } from '#platform/parking.ts'
import { fatesOf, reviveCalls } from '#platform/parking-replay.ts'
import { payloadChanges } from '#platform/payload-changes.ts'
import type { Docket } from '#platform/process.ts'
import type { Stage } from '#platform/rehearsal.ts'
import type { CallFate, Expectation, ExpectedCall, Rehearse } from '#platform/repair-rehearsal.ts'
import type { Planned } from '#platform/turn.ts'
import { askOnly } from '#platform/turn-overrides.ts'
import type { StreamSkip } from './any-door.ts'
import { giveUp } from './parked-work.ts'
import { numberOf } from './ports.ts'
import { pictureOf, type Place, stockPicture, titleOf } from './repair-pictures.ts'
import { causeOf, filedAs, noDoor } from './replays.ts'

/** What a door does with a message, in whatever transaction. */
export type Hearing = (tx: Transaction, turn: Docket) => Promise<unknown>

export type RehearsedDoor = Pick<InboundDoor<unknown>, 'restore'> & {
  /** What it needs to hear the message is gathered before. */
  prepare(inbound: InboundMessage<unknown>, parked: ParkedItem, cause: Cause): Promise<Hearing>
  /** Goes on without what a stream misses; absent where none has gaps. */
  skip?(gap: StreamSkip, parked: ParkedItem, cause: Cause): Hearing
  /** Where the message says that stock moves, of itself and not of an order. */
  place?(inbound: InboundMessage<unknown>): Promise<Place | undefined>
}

export type RehearsalPorts = {
  /** What is true outside, read beside the rehearsal. */
  readonly queries: Queries
  /** Undefined while this process has no lease. */
  readonly stage: () => Stage | undefined
  readonly doors: ReadonlyMap<string, RehearsedDoor>
  readonly connectors: ReadonlyMap<string, Connector>
}

const DECISION = { actor: 'rehearsal', reason: 'what would come of it' }
const NOTHING = { changes: [], events: [], calls: [] }

export function rehearsals(ports: RehearsalPorts): Rehearse {
  return async (item, action) => {
    const stage = ports.stage()
    if (!stage) return undefined
    try {
      if (action === 'discard') return await rehearseDiscard(ports, stage, item)
      return await (item.kind === 'message' ? rehearseMessage : rehearseDocument)(ports, stage, item)
    } catch (error) {
      // somebody else's fault says nothing of the item
      if (isOutage(error) || isBusy(error)) throw error
      return { ...NOTHING, expected: 'rejection', cause: causeOf(error) }
    }
  }
}

const causeFor = ({ system }: ParkedItem): Cause => ({ source: system ?? 'crossdock', actor: DECISION.actor })

async function rehearseMessage(ports: RehearsalPorts, stage: Stage, item: ParkedItem): Promise<Expectation> {
  const door = ports.doors.get(item.system ?? '')
  if (!door) return { ...NOTHING, expected: 'rejection', cause: noDoor(item) }
  const { gap } = item.context as { readonly gap?: StreamSkip }
  const cause = causeFor(item)
  const parked: ParkedItem = { ...item, state: 'replaying', settledBy: DECISION.actor }
  const inbound = gap ? undefined : await door.restore(filedAs(item))
  const hears = inbound ? await door.prepare(inbound, parked, cause) : door.skip?.(gap!, parked, cause)
  if (!hears) return { ...NOTHING, expected: 'rejection', cause: noDoor(item) }
  const place = inbound && (await door.place?.(inbound))
  return stage.rehearse({
    cause,
    async work(tx, turn) {
      await replay(tx, [item.id], DECISION)
      await hears(tx, turn)
    },
    async look(tx, planned) {
      const [fate] = await fatesOf(tx, [item.id])
      const seen = await seenWithin(ports, tx, { planned, place })
      if (fate?.state === 'parked') {
        const { causeCode: code, causeMessage: message } = fate
        return { ...seen, expected: 'rejection', cause: { code, message } }
      }
      const outcome = fate?.outcome ?? 'applied'
      if (outcome === 'applied' || outcome === 'waiting') return { ...seen, expected: 'change' }
      return { ...seen, expected: 'nothing', cause: { code: outcome, message: SAYS[outcome] } }
    },
  })
}

const SAYS = { duplicate: 'it is here already', superseded: 'later news has been applied' }

/** A document, or the document of a call: taken up as its process would take it up. */
async function rehearseDocument(ports: RehearsalPorts, stage: Stage, item: ParkedItem): Promise<Expectation> {
  const doc = item.doc ?? 0
  const [[row], intents] = await Promise.all([
    deskRowsOf(ports.queries, [doc]),
    intentsOf(ports.queries, [doc]),
  ])
  const call = intents.find((intent) => effectKey(intent) === item.key && intent.state === 'parked')
  if (item.kind === 'effect' && !call) return settledCall(item)
  if (!row) return over(`${numberOf('', doc)} has no work left`)
  return stage.rehearse({
    cause: causeFor(item),
    work: async (tx) => reviveCalls(tx, [item]),
    takesUp: row,
    async look(tx, planned) {
      const seen = await seenWithin(ports, tx, { planned })
      const isMade = item.kind !== 'effect' || seen.calls.some(({ key }) => key === item.key)
      if (!isMade) return { ...seen, expected: 'nothing', cause: NOT_WANTED }
      const stays = seen.calls.every(({ fate }) => fate === 'parked again') && seen.events.length === 0
      if (item.kind === 'effect' && stays) return { ...seen, expected: 'rejection', cause: IN_DOUBT }
      return { ...seen, expected: 'change' }
    },
  })
}

const NOT_WANTED = { code: 'not_wanted', message: 'its document does not ask for this call any more' }
const IN_DOUBT = {
  code: 'work.effect_parked',
  message: 'it may have been sent, and its system can neither be asked nor be trusted with a repetition',
}
const over = (message: string): Expectation => ({
  ...NOTHING,
  expected: 'nothing',
  cause: { code: 'settled', message },
})

function settledCall({ key, system, context }: ParkedItem): Expectation {
  const { operation = '' } = context as { operation?: string }
  const call: ExpectedCall = { key, system: system ?? '', operation, fate: 'suppressed' }
  return { ...over('the call is settled already'), calls: [call] }
}

async function rehearseDiscard(ports: RehearsalPorts, stage: Stage, item: ParkedItem): Promise<Expectation> {
  return stage.rehearse({
    cause: causeFor(item),
    async work(tx) {
      const answer = (await giveUp(tx, [item.id], DECISION)).get(item.id)
      if (answer instanceof Refusal) throw answer
    },
    async look(tx, planned) {
      const changes = [{ at: '/state', before: item.state, after: 'discarded' }]
      return { ...(await seenWithin(ports, tx, { planned })), changes, expected: 'change' }
    },
  })
}

type Looking = { readonly planned: readonly Planned[]; readonly place?: Place | undefined }

/** What is true in the transaction beside what is true outside of it. */
async function seenWithin(
  ports: RehearsalPorts,
  tx: Transaction,
  { planned, place }: Looking,
): Promise<Omit<Expectation, 'expected'>> {
  const { queries } = ports
  const told = await toldWithin(tx)
  const docs = [...told.map(({ key }) => key), ...planned.map(({ intent }) => intent.doc)]
  const known = await rootsOf(queries, docs)
  const orders = [...new Set((await rootsOf(tx, docs)).values())]
  const numbers = {
    of: (kind: string, doc: number) => (known.has(doc) ? numberOf(kind, doc) : `new ${kind}`),
  }
  const [before, after] = await Promise.all([
    pictureAll(queries, orders, { known, place }),
    pictureAll(tx, orders, { known, place }),
  ])
  return {
    changes: payloadChanges(JSON.stringify(before), JSON.stringify(after)),
    events: told.map(({ type, key }) => `${type} ${numbers.of(type.slice(0, type.indexOf('.')), key)}`),
    calls: planned.map((one) => callOf(ports, one, known)),
  }
}

type Pictured = { readonly known: ReadonlyMap<number, number>; readonly place?: Place | undefined }

/** What is not there yet has no fields, so that each that it gets is a change. */
async function pictureAll(
  queries: Queries,
  orders: readonly number[],
  { known, place }: Pictured,
): Promise<object> {
  const knownOrders = new Set(known.values())
  const pictures = orders.map(
    async (order) =>
      [titleOf(order, knownOrders.has(order)), (await pictureOf(queries, order)) ?? {}] as const,
  )
  const stock = place ? await stockPicture(queries, place) : {}
  return { ...Object.fromEntries(await Promise.all(pictures)), ...stock }
}

function callOf(
  { connectors }: RehearsalPorts,
  planned: Planned,
  known: ReadonlyMap<number, number>,
): ExpectedCall {
  const { intent } = planned
  const { system, operation, doc } = intent
  const key = effectKey(intent)
  const connector = connectors.get(system)
  return {
    key: known.has(doc) ? key : `new${key.slice(key.indexOf('/'))}`,
    system,
    operation,
    fate: connector ? fateOf(connector, planned) : 'parked again',
  }
}

/** As the runner would ask for it. */
function fateOf(connector: Connector, { intent: { state, operation }, isDecided }: Planned): CallFate {
  const binding = bindingOf(connector, operation)
  const attempt = isDecided ? askOnly(binding) : nextAttempt(state, binding.recovery)
  if (attempt === 'park') return 'parked again'
  if (attempt === 'look up') return 'looked up first'
  return state === 'retry' ? 'sent' : 'sent again under its key'
}
