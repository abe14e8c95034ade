/** Sourcing profiles, and from where orders are served by them. */
import { sourcingRoutes } from '#domains/inventory/routes/sourcing.ts'
import { headersOf } from '#domains/orders/views.ts'
import type { Database } from '#platform/database.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Worker } from '#platform/worker.ts'
import { parseNumber, type ProcessPorts } from './processes/ports.ts'
import { addSourcingVersion, previewSourcing } from './processes/sourcing-commands.ts'

export type SourcingWires = {
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
}

export const sourcingOf = (
  { screens: queries, worker, processPorts: ports }: SourcingWires,
  pages: Pages,
  companies: readonly string[],
): Route[] =>
  sourcingRoutes({
    queries,
    pages,
    companies: () => companies,
    async orderOf(number) {
      const doc = parseNumber(number, 'O')
      const [found] = doc === undefined ? [] : await headersOf(queries, [doc])
      return found?.doc
    },
    preview: (question) => previewSourcing(queries, ports, question),
    addVersion: (command) => addSourcingVersion({ runner: worker.runner(), ports }, command),
  })
