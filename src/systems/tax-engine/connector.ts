/** The tax engine: one committed transaction for each invoice document, the evidence of its tax. */
import type { z } from 'zod'
import { determineTax, type TaxDetermination, type TaxRequest } from '#capabilities/tax.ts'
import {
  allOf,
  bind,
  type CallContext,
  confirmed,
  jsonOrNothing,
  legible,
  legibleAll,
  type Outcome,
  type OutcomeMap,
  outcomeOfStatus,
  type Ready,
  refused,
  retry,
  unknown,
} from '#platform/connector-binding.ts'
import type { Connector, ConnectorOptions } from '#platform/connector.ts'
import { fieldsOf, Unexpected } from '#platform/fields.ts'
import type { HttpResponse } from '#platform/http-client.ts'
import { toDetermination, toEngineDocument } from './map.ts'
import { TaxEngineSettings } from './settings.ts'
import { batchResults, type EngineDocument, type EngineResult, errorOf } from './wire.ts'

export type TaxEngineOptions = ConnectorOptions<z.input<typeof TaxEngineSettings>>

type Commit = Ready<TaxRequest, EngineDocument>

/** Posts to an address of the engine; `failureOf` is the outcome of a call that came to nothing as a whole. */
type Engine = {
  post(path: string, body: unknown, context: CallContext): Promise<HttpResponse>
  failureOf(response: HttpResponse): Outcome<never> | undefined
}

export function createTaxEngineConnector(options: TaxEngineOptions): Connector {
  const settings = TaxEngineSettings.parse(options.settings)
  const engine = openEngine(options, settings)
  return {
    instance: options.instance,
    operations: bind(determineTax, {
      batchMax: settings.options.batchMax,
      // The same document with the same content is answered with the first transaction.
      recovery: 'key',
      translate: (request) => toEngineDocument(request, settings.options.locations),
      async send(commits, context) {
        const [first] = commits
        if (commits.length > 1 || !first) return commitMany(engine, commits, context)
        return new Map([[first.effect, await commitOne(engine, first, context)]])
      },
    }),
  }
}

function openEngine({ http, clock }: TaxEngineOptions, settings: TaxEngineSettings): Engine {
  const { account, license } = settings.credentials
  const headers = {
    authorization: `Basic ${Buffer.from(`${account}:${license}`).toString('base64')}`,
    'content-type': 'application/json',
  }
  return {
    post: (path, body, context) =>
      http.request({
        method: 'POST',
        url: `${settings.baseUrl}/v1/${path}`,
        headers,
        body: JSON.stringify(body),
        timeoutMs: settings.timeoutMs,
        ...context,
      }),
    failureOf: (response) => outcomeOfStatus(response, clock.now(), saysUndone),
  }
}

async function commitOne(
  engine: Engine,
  { body }: Commit,
  context: CallContext,
): Promise<Outcome<TaxDetermination>> {
  const response = await engine.post('transactions', body, context)
  const { status } = response
  const failed = engine.failureOf(response)
  if (failed) return failed
  const answer = status < 400 ? response.json() : jsonOrNothing(response)
  return legible(() => {
    const transaction = status < 400 ? fieldsOf(answer) : undefined
    return outcomeOf(body, { code: body.code, status, transaction, error: errorOf(answer) })
  })
}

async function commitMany(
  engine: Engine,
  commits: readonly Commit[],
  context: CallContext,
): Promise<OutcomeMap<TaxDetermination>> {
  const transactions = commits.map(({ body }) => body)
  const response = await engine.post('transactions/batch', { transactions }, context)
  const failed = engine.failureOf(response) ?? refusedWhole(response)
  if (failed) return allOf(commits, failed)
  return legibleAll(commits, () => {
    const results = new Map(batchResults(response.json()).map((result) => [result.code, result]))
    return new Map(
      commits.map(({ effect, body }) => [effect, legible(() => outcomeOf(body, results.get(body.code)))]),
    )
  })
}

const UNDONE = new Set(['Busy', 'ServiceUnavailable'])

const saysUndone = (response: HttpResponse): boolean =>
  UNDONE.has(errorOf(jsonOrNothing(response))?.code ?? '')

function refusedWhole(response: HttpResponse): Outcome<never> | undefined {
  if (response.status < 400) return undefined
  const error = errorOf(jsonOrNothing(response))
  return error ? refused(error.code, error.message) : unknown(`status ${response.status}`)
}

function outcomeOf(document: EngineDocument, result: EngineResult | undefined): Outcome<TaxDetermination> {
  if (!result) return unknown('the answer leaves this document out')
  const { status, transaction, error } = result
  if (status === 200 || status === 201) {
    if (!transaction) return unknown('the answer has no transaction')
    if (transaction['code'] !== document.code) throw new Unexpected('the transaction is of another document')
    return confirmed(toDetermination(transaction))
  }
  if (error && UNDONE.has(error.code)) return retry(error.message)
  return error && status >= 400 && status < 500
    ? refused(error.code, error.message)
    : unknown(`status ${status}`)
}
