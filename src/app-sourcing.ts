/** Sourcing profiles, and from where orders are served by them. */
import type {
  SourcingComparison,
  SourcingComparisonQuestion,
} from '#domains/inventory/contract/sourcing-comparison.ts'
import { sourcingRoutes } from '#domains/inventory/routes/sourcing.ts'
import { headersOf } from '#domains/orders/views.ts'
import type { Database } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Worker } from '#platform/worker.ts'
import type { Config } from './config-schema.ts'
import { parseNumber, type ProcessPorts } from './processes/ports.ts'
import { addSourcingVersion, previewSourcing } from './processes/sourcing-commands.ts'
import { compareSourcing } from './processes/sourcing-comparison.ts'

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
    compare: (question) => compareSourcing(queries, ports.findCompany, question),
    preview: (question) => previewSourcing(queries, ports, question),
    addVersion: (command) => addSourcingVersion({ runner: worker.runner(), ports }, command),
  })

/** For who works beside the running program. */
export function compareBeside(
  config: Config,
  database: Database,
  question: SourcingComparisonQuestion,
): Promise<SourcingComparison> {
  return compareSourcing(database, (code) => sellerOf(config, code), question)
}

function sellerOf(config: Config, code: string) {
  const company = config.companies.find((one) => one.code === code)
  if (company) {
    const places = config.locations.filter((place) => (place.company ?? code) === code)
    return { code, currency: company.currency, locations: places.map((place) => place.code) }
  }
  const known = config.companies.map((one) => one.code).join(', ')
  throw new Refusal(
    'inventory.company_unknown',
    `there is no company ${code}; there are ${known}`,
    {},
    '/company',
  )
}
