/** The tax engine's API: quotes that leave nothing behind, commits keyed by document code, batches. */
import { type Fields, parsed, text } from '../fields.ts'
import type { FaultBoard } from '../faults.ts'
import { inAnotherOrder } from '../random.ts'
import {
  json,
  startSystem,
  systemTools,
  type Call,
  type Operation,
  type Reply,
  type ServerOptions,
  type SystemHandle,
} from '../server.ts'
import type { Transaction } from './shapes.ts'
import { type Stored, TaxRefusal, TaxStore } from './store.ts'

export const TAX = 'tax'
const BATCH = 50

export type TaxTruth = { transactions: Transaction[] }
export type TaxHandle = SystemHandle<TaxTruth>

/** On the wire the taxed lines stand where the given lines stood. */
function shown({ taxed_lines, ...transaction }: Transaction): Fields {
  return { ...transaction, lines: taxed_lines }
}

function worded(error: unknown): { status: number; error: Fields } {
  if (!(error instanceof TaxRefusal)) throw error
  const { status, code, target } = error
  return { status, error: { code, message: `${code}: ${target ?? ''}`, target } }
}

type Result = { status: number; transaction?: Fields; error?: Fields }

function attempt(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    return worded(error)
  }
}

const reply = ({ status, transaction, error }: Result): Reply => json(status, transaction ?? { error })

type Verbs = { quote: (fields: Fields) => Result; commit: (fields: Fields) => Result }

const verbs = (store: TaxStore): Verbs => ({
  quote: (fields) => attempt(() => ({ status: 200, transaction: shown(store.quote(fields)) })),
  commit: (fields) =>
    attempt(() => {
      const { first, transaction } = store.commit(fields)
      return { status: first ? 201 : 200, transaction: shown(transaction) }
    }),
})

type Batch = { name: string; one: (fields: Fields) => Result; faults: FaultBoard; seed: string }

function batchReply({ name, one, faults, seed }: Batch, given: Fields[] | undefined): Reply {
  if (!given || given.length > BATCH)
    return json(422, { error: { code: 'InvalidLine', message: `at most ${BATCH}`, target: 'transactions' } })
  const results = given.map((fields): Fields => {
    const code = text(fields['code'])
    if (!faults.quiet && faults.strike('item-failure', name, code)) {
      return { code, status: 503, error: { code: 'Busy', message: 'send again' } }
    }
    return { code, ...one(fields) }
  })
  return json(207, { results: inAnotherOrder(seed, String(given[0]?.['code']), results) })
}

const CODE: Record<number, string> = { 404: 'TransactionNotFound', 429: 'RateLimited' }

export async function startTax(
  options: ServerOptions,
  credentials: { account: string; license: string },
): Promise<TaxHandle> {
  const tools = systemTools(options, TAX)
  const store = new TaxStore(options.clock, options.keep, options.visibilityLagMs)
  if (options.memory) store.recall(options.memory as [string, Stored][])
  const { quote, commit } = verbs(store)
  const expected = `Basic ${Buffer.from(`${credentials.account}:${credentials.license}`).toString('base64')}`

  function single(name: string, one: (fields: Fields) => Result, fields: Fields | undefined): Operation {
    return { name, keys: fields ? [String(fields['code'])] : [], run: () => reply(one(fields ?? {})) }
  }

  function batch(name: string, one: (fields: Fields) => Result, fields: Fields | undefined): Operation {
    const given = Array.isArray(fields?.['transactions']) ? (fields['transactions'] as Fields[]) : undefined
    const keys = given?.map((each) => String(each['code'])) ?? []
    return {
      name,
      keys,
      run: () => batchReply({ name, one, faults: tools.faults, seed: options.seed }, given),
    }
  }

  function stored(call: Call): Operation | undefined {
    const [, company = '', code = '', tail] =
      /^\/v1\/companies\/([^/]+)\/transactions\/([^/]+)(\/void)?$/.exec(call.path) ?? []
    if (company === '') return undefined
    const name = decodeURIComponent(code)
    const voiding = tail !== undefined && call.method === 'POST'
    const work = (): Result => ({
      status: 200,
      transaction: shown(voiding ? store.void(company, name) : store.find(company, name)),
    })
    return { name: voiding ? 'void' : 'find', keys: [name], run: () => reply(attempt(work)) }
  }

  function found(call: Call): Operation | undefined {
    if (call.method !== 'POST' || call.path.startsWith('/v1/companies/')) return stored(call)
    const fields = parsed(call.body)
    if (call.path === '/v1/transactions/quote') return single('quote', quote, fields)
    if (call.path === '/v1/transactions') return single('commit', commit, fields)
    if (call.path === '/v1/transactions/quote/batch') return batch('quotes', quote, fields)
    if (call.path === '/v1/transactions/batch') return batch('commits', commit, fields)
    return undefined
  }

  function operation(call: Call): Operation | undefined {
    const one = found(call)
    if (!one || call.headers['authorization'] === expected) return one
    return {
      ...one,
      run: () => json(401, { error: { code: 'AuthenticationFailed', message: 'wrong account or license' } }),
    }
  }

  const trouble = (status: number, detail: string): Reply =>
    json(status, { error: { code: CODE[status] ?? 'ServiceUnavailable', message: detail } })
  const truth = (): TaxTruth => ({ transactions: store.all() })
  const door = { system: TAX, operation, trouble, truth, remember: store.remember }
  return startSystem(door, tools, options)
}
