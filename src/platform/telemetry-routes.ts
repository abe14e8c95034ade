/** Doors for those who watch the process: alive, ready, metrics. */
import { z } from 'zod'
import { route } from './http.ts'
import type { Route } from './http.ts'
import type { Metrics } from './telemetry-metrics.ts'

/** Resolves when the thing is usable; its failure makes the process not ready. */
export type ReadinessCheck = { readonly name: string; check(signal: AbortSignal): Promise<void> }

const Liveness = z.object({ status: z.literal('alive') })
const Readiness = z.object({
  status: z.enum(['ready', 'not_ready']),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean() })),
})

export function telemetryRoutes(metrics: Metrics, checks: readonly ReadinessCheck[]): Route[] {
  const common = { method: 'GET', rateClass: 'probe', bodyLimitBytes: 0 } as const
  return [
    route({
      ...common,
      path: '/livez',
      operationId: 'platform.alive',
      summary: 'Whether the process answers at all',
      scope: 'public',
      answers: { 200: { description: 'The process is alive', body: Liveness } },
      example: { answer: { status: 'alive' } },
      handler: () => ({ status: 200, body: { status: 'alive' } }),
    }),
    route({
      ...common,
      path: '/readyz',
      operationId: 'platform.ready',
      summary: 'Whether the process can do its work now',
      scope: 'public',
      answers: {
        200: { description: 'Every check passes', body: Readiness },
        503: { description: 'At least one check fails', body: Readiness },
      },
      example: { answer: { status: 'ready', checks: [{ name: 'database', ok: true }] } },
      async handler({ signal }) {
        const results = await Promise.all(
          checks.map(async ({ name, check }) => ({ name, ok: await passes(() => check(signal)) })),
        )
        return results.every(({ ok }) => ok)
          ? { status: 200, body: { status: 'ready', checks: results } }
          : { status: 503, body: { status: 'not_ready', checks: results } }
      },
    }),
    route({
      ...common,
      path: '/metrics',
      operationId: 'platform.metrics',
      summary: 'Metrics in the Prometheus text format',
      scope: 'platform.metrics:read',
      answers: { 200: { description: 'The metrics', contentType: 'text/plain' } },
      async handler() {
        const { contentType, text } = await metrics.scrape()
        return { status: 200, content: text, headers: { 'content-type': contentType } }
      },
    }),
  ]
}

async function passes(check: () => Promise<void>): Promise<boolean> {
  try {
    await check()
    return true
  } catch {
    return false
  }
}
