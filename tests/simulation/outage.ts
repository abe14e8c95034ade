/** An ERP that is away for hours while orders arrive, and takes so many calls a minute when it is back; in virtual time. */
import type { ConfigInput } from '../../src/config-schema.ts'
import { LEGACY_ERP } from '#landscape/legacy-erp/server.ts'
import { formatAmount } from '#platform/money.ts'
import { type Query, underWay, type Violation, violationsAtRest } from '#tests/support/books-rules.ts'
import { benchConfig } from '../../bench/config.ts'
import { benchWorld, orderMaker } from '../../bench/world.ts'
import { heldBytes } from '#tests/support/held-memory.ts'
import type { Cluster } from './cluster.ts'
import { headersOf, type LeapingHouse, openLeapingHouse } from './leaping-house.ts'

export type OutagePlan = {
  readonly hours: number
  /** Of the company whose ERP is away; the other company orders a tenth as much. */
  readonly orders: number
  readonly callsPerMinute: number
  /** Carried facts, lock order and answers are checked; takes half as long again. */
  readonly checks: boolean
  readonly say?: (text: string) => void
}

export type OutageReport = {
  readonly hours: number
  readonly accepted: number
  readonly violations: readonly Violation[]
  /** From the return of the ERP until everything had ended. */
  readonly drainMinutes: number
  readonly callsPerMinuteMax: number
  readonly callsPerMinuteAllowed: number
  readonly refusedByLimit: number
  /** How often the ERP was called in vain. */
  readonly callsInOutage: number
  /** Calls with orders that came to the ERP before the last of the payments that waited with them. */
  readonly orderCallsBeforePayments: number
  /** The slowest order of the company whose ERP answered, from acceptance to the posted invoice. */
  readonly othersPostedWithinMs: number
  /** Held by the whole process, its counterparts and what the run remembers included. */
  readonly memoryMb: { readonly firstHour: number; readonly peakInOutage: number; readonly end: number }
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Shares of a day's orders by the hour, in hundredths; a longer outage begins the day again. */
const PROFILE = [6, 10, 15, 17, 16, 15, 12, 9]
/** Clients send what has come together in so long. */
const TOGETHER_MS = 10_000
const ITEMS = 40
const DROWSY = 5
const PAID = 10
const DOCUMENTS_IN_A_CALL = 10
const RETRY_AFTER_SECONDS = 10
const LANE_CALLS = 15
const DRAIN_MAX_MS = 48 * HOUR_MS
const MB = 2 ** 20
const heldMb = (): number => Math.round(heldBytes() / MB)
/** Books of the counterparts that go on, and what the run itself remembers of calls. */
const GROWTH_MB = 50
/** Here some invoices are paid, which lowers what is open and not what their orders were worth. */
const WITHOUT_PAYMENTS = 'what a credit account has open is what its orders owe'
const O2C = '/process/order-to-cash/v1'
const PAYMENTS = '/rfc/FI_PAYMENT_POST'
const ORDERS = '/idoc/ORDERS'

const world = benchWorld(ITEMS)

type ErpCall = { readonly atMs: number; readonly path: string; readonly status: number }

export async function outage(cluster: Cluster, plan: OutagePlan): Promise<OutageReport> {
  await cluster.reset()
  const calls: ErpCall[] = []
  const house = await openLeapingHouse({
    cluster,
    world,
    config: (urls) => limited(benchConfig(urls, 'batch'), plan),
    heard: ({ system, atMs, path, status }) => {
      if (system === LEGACY_ERP) calls.push({ atMs, path, status })
    },
    checks: plan.checks,
    drowsy: DROWSY,
  })
  try {
    return await new Outage({ cluster, house, plan, calls }).toItsEnd()
  } finally {
    await house.end()
  }
}

/** What the ERP takes is known to us, as to any operator who has read its manual. */
function limited(config: Partial<ConfigInput>, { callsPerMinute }: OutagePlan): Partial<ConfigInput> {
  const erp = config.systems!['erp-foods']!
  const rate = { perSecond: callsPerMinute / 60 }
  const policy = { ...erp.policy, batchMax: DOCUMENTS_IN_A_CALL, rate }
  return {
    ...config,
    worker: { claimPollMs: 5_000 },
    systems: { ...config.systems, 'erp-foods': { ...erp, policy } },
  }
}

type Parts = {
  readonly cluster: Cluster
  readonly house: LeapingHouse
  readonly plan: OutagePlan
  readonly calls: readonly ErpCall[]
}

class Outage {
  readonly #parts: Parts
  readonly #orders = orderMaker(world, 'outage')
  readonly #memoryMb: number[] = []
  #taken = 0
  #others = 0
  #accepted = 0
  #refused: string[] = []

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async toItsEnd(): Promise<OutageReport> {
    const { house, plan } = this.#parts
    const { clock, landscape } = house
    await this.#payable()
    const beginMs = clock.monotonicMs()
    landscape.legacyErp.faults.set([
      { kind: 'outage', mode: 'refused', forMs: plan.hours * HOUR_MS },
      { kind: 'rate-limit', perSecond: plan.callsPerMinute / 60, retryAfterSeconds: RETRY_AFTER_SECONDS },
    ])
    await this.#pay()
    await this.#arrive(beginMs)
    const backMs = beginMs + plan.hours * HOUR_MS
    await this.#drain(backMs)
    return this.#report(beginMs, backMs)
  }

  /** Some invoices of the day before, so that there is money to be told of. */
  async #payable(): Promise<void> {
    this.#send(PAID)
    await this.#until(async () => (await underWay(this.#query)) === 0)
  }

  async #pay(): Promise<void> {
    const { house } = this.#parts
    const invoices = await this.#query<{ number: string; customer: string; currency: string; total: number }>(
      `select i.number, o.customer, i.currency, i.total_minor::float8 as total
       from billing.invoice i join orders.sales_order o on o.id = i.order_id where o.company = 'NWF'`,
    )
    for (const { number, customer, currency, total } of invoices) {
      const amount = formatAmount(total, currency)
      const reference = `PAID-${number}`
      const body = { company: 'NWF', customer, currency, reference, amount, invoices: [{ number, amount }] }
      house.clock.soon(async () => {
        const answer = await house.visit({
          method: 'POST',
          url: `${O2C}/payments`,
          headers: headersOf(reference),
          body: JSON.stringify(body),
        })
        if (answer.status !== 201) this.#refused.push(answer.body)
      })
    }
  }

  async #arrive(beginMs: number): Promise<void> {
    const { house, plan } = this.#parts
    const endMs = beginMs + plan.hours * HOUR_MS
    const { clock } = house
    for (let sent = 0; clock.monotonicMs() < endMs;) {
      const passedMs = clock.monotonicMs() - beginMs
      const due = Math.round(plan.orders * shareOf(passedMs, plan.hours))
      this.#send(due - sent)
      sent = due
      if (passedMs % (15 * MINUTE_MS) < TOGETHER_MS) this.#remember(passedMs)
      await house.pass(Math.min(TOGETHER_MS, endMs - clock.monotonicMs()))
    }
    this.#send(plan.orders + PAID - this.#taken)
  }

  /** So many of the company whose ERP is away, and some of the other's between them. */
  #send(count: number): void {
    const { house } = this.#parts
    for (const end = this.#taken + count; this.#taken < end;) {
      const { key, body } = this.#orders(this.#taken + this.#others)
      const isOther = !body.includes('"company":"NWF"')
      if (isOther) this.#others++
      else this.#taken++
      if (isOther && this.#others % 10 !== 0) continue
      house.clock.soon(async () => {
        const { status, body: answer } = await house.order(key, body)
        if (status === 201) this.#accepted++
        else this.#refused.push(answer)
      })
    }
  }

  async #drain(backMs: number): Promise<void> {
    const { clock } = this.#parts.house
    await this.#until(async () => {
      const left = await underWay(this.#query)
      this.#parts.plan.say?.(
        `back for ${Math.round((clock.monotonicMs() - backMs) / MINUTE_MS)} minutes, ${left} under way`,
      )
      return left === 0
    })
  }

  async #until(isOver: () => Promise<boolean>): Promise<void> {
    const { clock, pass } = this.#parts.house
    const endMs = clock.monotonicMs() + DRAIN_MAX_MS
    do {
      if (clock.monotonicMs() > endMs) return
      await pass(MINUTE_MS)
    } while (!(await isOver()))
  }

  #remember(passedMs: number): void {
    const megabytes = heldMb()
    this.#memoryMb.push(megabytes)
    this.#parts.plan.say?.(
      `hour ${(passedMs / HOUR_MS).toFixed(2)}: ${this.#accepted} accepted, ${megabytes} MB`,
    )
  }

  readonly #query: Query = async (text, values = []) =>
    (await this.#parts.cluster.side.query(text, values)).rows

  async #report(beginMs: number, backMs: number): Promise<OutageReport> {
    const { house, plan, calls } = this.#parts
    const since = calls.filter(({ atMs }) => atMs >= backMs)
    const lastPayment = since.findLastIndex(({ path, status }) => path === PAYMENTS && status === 200)
    const [others] = await this.#query<{ ms: number }>(
      `select 1000 * extract(epoch from max(i.posted_at - o.created_at))::float8 as ms
       from billing.invoice i join orders.sales_order o on o.id = i.order_id where o.company = 'NWI'`,
    )
    const report = {
      hours: plan.hours,
      accepted: this.#accepted,
      drainMinutes: Math.round((house.clock.monotonicMs() - backMs) / MINUTE_MS),
      callsPerMinuteMax: busiest(since.filter(({ status }) => status !== 429)),
      callsPerMinuteAllowed: plan.callsPerMinute,
      refusedByLimit: since.filter(({ status }) => status === 429).length,
      callsInOutage: calls.filter(({ atMs }) => atMs >= beginMs && atMs < backMs).length,
      orderCallsBeforePayments: since.slice(0, lastPayment + 1).filter(({ path }) => path === ORDERS).length,
      othersPostedWithinMs: others!.ms,
      memoryMb: {
        firstHour: Math.max(...this.#memoryMb.slice(0, 5)),
        peakInOutage: Math.max(...this.#memoryMb),
        end: heldMb(),
      },
    }
    return { ...report, violations: [...(await this.#books()), ...this.#broken(report, lastPayment)] }
  }

  #broken(report: Omit<OutageReport, 'violations'>, lastPayment: number): Violation[] {
    const { complaints } = this.#parts.house
    // Beside the minute's calls it may have saved up those of a second.
    const allowed = Math.ceil(report.callsPerMinuteAllowed * (61 / 60))
    const rules: Readonly<Record<string, readonly (string | object)[]>> = {
      'every order and payment is accepted': this.#refused,
      'the ERP is never called more often than it allows': report.callsPerMinuteMax > allowed ? [report] : [],
      'memory stays flat while the ERP is away':
        report.memoryMb.peakInOutage > report.memoryMb.firstHour + GROWTH_MB ? [report.memoryMb] : [],
      'payments are told before orders':
        lastPayment < 0 || report.orderCallsBeforePayments > LANE_CALLS ? [report] : [],
      'nobody meets a defect of ours': complaints.filter((line) => line.includes('"level":"error"')),
    }
    return Object.entries(rules).flatMap(([rule, found]) =>
      found.length > 0 ? [{ rule, found: found.slice(0, 5) }] : [],
    )
  }

  /** Everything has ended, and each order and each invoice is at the ERPs once. */
  async #books(): Promise<Violation[]> {
    const { landscape } = this.#parts.house
    const erps = [landscape.legacyErp.truth(), landscape.cloudErp.truth()]
    const ours = await this.#query<{ kind: string; reference: string }>(
      `select 'orders' as kind, 'O-' || id as reference from orders.sales_order
       union all select 'invoices', 'I-' || id from billing.invoice`,
    )
    const kinds = (['orders', 'invoices'] as const).flatMap((kind) => {
      const times = Map.groupBy(
        erps.flatMap((erp) => erp[kind].map(({ reference }) => reference)),
        (reference) => reference,
      )
      const mine = ours.filter((row) => row.kind === kind).map(({ reference }) => reference)
      const wrong = mine.filter((reference) => times.get(reference)?.length !== 1)
      const found =
        times.size === mine.length ? wrong : [...wrong, `${times.size} there, ${mine.length} here`]
      return found.length > 0 ? [{ rule: `${kind} are at the ERPs once`, found: found.slice(0, 5) }] : []
    })
    const rows = ours.filter(({ kind }) => kind === 'orders').length
    const lost =
      rows === this.#accepted
        ? []
        : [{ rule: 'no accepted order is lost', found: [`${rows} of ${this.#accepted}`] }]
    return [
      ...kinds,
      ...lost,
      ...(await violationsAtRest(this.#query)).filter(({ rule }) => rule !== WITHOUT_PAYMENTS),
    ]
  }
}

/** The share of the orders that has come by then. */
function shareOf(passedMs: number, hours: number): number {
  const weight = (hour: number): number => PROFILE[hour % PROFILE.length]!
  const total = Array.from(
    { length: Math.ceil(hours) },
    (_, hour) => weight(hour) * Math.min(1, hours - hour),
  )
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  const hour = Math.floor(passedMs / HOUR_MS)
  const part = weight(hour) * (passedMs / HOUR_MS - hour)
  return Math.min(1, (sum(total.slice(0, hour)) + part) / sum(total))
}

/** The most calls that began within a minute. */
function busiest(calls: readonly ErpCall[]): number {
  let [most, from] = [0, 0]
  for (const [at, { atMs }] of calls.entries()) {
    while (calls[from]!.atMs <= atMs - MINUTE_MS) from++
    most = Math.max(most, at - from + 1)
  }
  return most
}
