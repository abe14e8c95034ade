/** The server of the house with one door, which answers every question with what it was given: what its web costs alone. */
import { AvailabilityAnswer, AvailabilityQuestion } from '#domains/inventory/contract/availability.ts'
import * as example from '#domains/inventory/contract/availability-examples.ts'
import { createAccess } from '#platform/access.ts'
import type { Clock } from '#platform/clock.ts'
import { createServer } from '#platform/http-server.ts'
import { route } from '#platform/http.ts'
import type { Ids } from '#platform/ids.ts'
import type { Log } from '#platform/telemetry-log.ts'
import type { Metrics } from '#platform/telemetry-metrics.ts'
import { houseCatalogue, RATES } from '../src/app-catalogue.ts'

type Ports = { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics; readonly ids: Ids }

export async function openConstant(ports: Ports) {
  let constant: AvailabilityAnswer = example.answer
  const door = route({
    method: 'POST',
    path: '/process/available-to-promise/v1/availability:query',
    operationId: 'availability.constant',
    summary: 'Always the same',
    scope: 'process.availability:read',
    rateClass: 'availability',
    bodyLimitBytes: 1024 * 1024,
    body: AvailabilityQuestion,
    idempotent: 'none',
    answers: { 200: { description: 'What it was given', body: AvailabilityAnswer } },
    refusals: [],
    example: { body: example.question, answer: example.answer },
    handler: async () => ({ status: 200, body: constant }),
  })
  const access = createAccess([], { openOnLoopback: true })
  const info = { title: 'A constant', version: '1.0.0', description: 'For comparison.' }
  const options = { info, catalogue: houseCatalogue, rates: RATES, reference: false }
  const server = createServer([door], { ...ports, access }, options)
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    answer: (body: AvailabilityAnswer) => void (constant = body),
    close: () => server.close(),
  }
}
