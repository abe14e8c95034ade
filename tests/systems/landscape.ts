/** The simulated landscape for connector tests: started once a file, with helpers that send effects as a lane would. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Landscape, type LandscapeOptions, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { Customer, Item, World } from '#landscape/world/world.ts'
import { systemClock } from '#platform/clock.ts'
import type {
  CallTerms,
  Connector,
  Effect,
  EffectOutcome,
  LookUpOutcome,
  Operation,
} from '#platform/connector.ts'
import { operationKey } from '#platform/connector.ts'
import { NotSent, type OpenHttpClient, openHttpClient } from '#platform/http-client.ts'

export const world: World = generateWorld({
  seed: 'connectors',
  today: '2026-11-02',
  plannedOrders: 100,
  customersPerCompany: 20,
  items: 60,
})

export type Ground = { landscape: Landscape; http: OpenHttpClient }

/** Starts the landscape before the tests of a file; switches all faults off after each. */
export function ground(options: Partial<LandscapeOptions> = {}): Ground {
  const it = {} as Ground
  beforeAll(async () => {
    it.landscape = await startLandscape({ clock: systemClock, seed: 'connectors', world, ...options })
    it.http = openHttpClient({ clock: systemClock })
  })
  afterEach(() => {
    const { legacyErp, cloudErp, wms, shop, carrier, tax } = it.landscape
    for (const system of [legacyErp, cloudErp, wms, shop, carrier, tax]) system.faults.clear()
  })
  afterAll(async () => {
    await it.http.close()
    await it.landscape.stop()
  })
  return it
}

let effects = 0

export const effectOf = (businessKey: string, request: unknown): Effect => ({
  key: `${++effects}/step/${businessKey}/1`,
  businessKey,
  request,
})

const TERMS: CallTerms = { signal: new AbortController().signal, mayStillSend: () => true }

/** Sends as a lane does: what the transport throws becomes the outcome of every effect. */
export async function sendAll(
  connector: Connector,
  operation: Operation<never, unknown>,
  sent: readonly Effect[],
  terms: Partial<CallTerms> = {},
): Promise<EffectOutcome[]> {
  const binding = bindingOf(connector, operation)
  try {
    const outcomes = await binding.send(sent, { ...TERMS, ...terms })
    return sent.map((effect) => outcomes.get(effect) ?? { kind: 'unknown', reason: 'left out' })
  } catch (error) {
    return sent.map(() => failureOf(error))
  }
}

export async function send(
  connector: Connector,
  operation: Operation<never, unknown>,
  effect: Effect,
  terms?: Partial<CallTerms>,
): Promise<EffectOutcome> {
  const [outcome] = await sendAll(connector, operation, [effect], terms)
  return outcome!
}

/** As a lane whose process lost its lease while the call waited for a connection; in words, what became of it. */
export async function sendAfterLease(
  connector: Connector,
  operation: Operation<never, unknown>,
  effect: Effect,
): Promise<string> {
  const outcome = await send(connector, operation, effect, { mayStillSend: () => false })
  return outcome.kind === 'retry'
    ? outcome.reason.replace(/^.* was not asked: /, 'not asked: ')
    : outcome.kind
}

export async function lookUp(
  connector: Connector,
  operation: Operation<never, unknown>,
  effect: Effect,
): Promise<LookUpOutcome> {
  const outcomes = await bindingOf(connector, operation).lookUp!([effect], TERMS)
  return outcomes.get(effect)!
}

export function bindingOf(connector: Connector, operation: Operation<never, unknown>) {
  const binding = connector.operations[operationKey(operation)]
  if (!binding) throw new Error(`${connector.instance} lacks ${operationKey(operation)}`)
  return binding
}

function failureOf(error: unknown): EffectOutcome {
  if (error instanceof NotSent) return { kind: 'retry', reason: error.message, at: error.retryAt }
  if (error instanceof Error) return { kind: 'unknown', reason: error.message }
  throw error
}

/** A good customer of a company, and goods it can have. */
export const customerOf = (company: string, nth = 0): Customer =>
  world.customers.filter((one) => one.company === company && !one.creditBlocked && !one.overLimit)[nth]!

export const itemOf = (company: string, fits: (item: Item) => boolean = () => true): Item =>
  world.items.find(
    (one) =>
      one.company === company && !one.discontinued && !one.catchWeight && one.supply === 'ample' && fits(one),
  )!

let numbers = 0
/** A document number that no other test of the file uses. */
export const fresh = (prefix: string): string => `${prefix}-${++numbers}`
