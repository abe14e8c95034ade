/** The look for what ERPs posted twice, company by company, by one process for all. */
import type { ErpBooks, ErpReader } from '#capabilities/erp.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { politeReader } from './app-polite.ts'
import type { Bound } from './app-systems.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { lookForDoublePosts } from './processes/double-posts.ts'

type Wires = {
  readonly config: Config
  readonly database: Database
  readonly worker: Worker
  readonly bound: Pick<Bound, 'readers'>
  readonly ports: { readonly clock: Clock }
  readonly openExceptions: OpenExceptions
}

const LOOK_MS = 5 * 60_000

export function doublePostJobs(wires: Wires): Job[] {
  const { config, database, bound, ports, openExceptions } = wires
  return config.companies.flatMap(({ code: company, erp }) => {
    const reader = bound.readers.get(erp)
    if (!reader) return []
    return {
      name: `what ${erp} posted twice of ${company}`,
      everyMs: LOOK_MS,
      run: inTurn(wires, `double-posts/${company}`, LOOK_MS / 2, async () => {
        const books = underPolicy(reader, wires)
        const look = () =>
          lookForDoublePosts({ database, clock: ports.clock, openExceptions }, { company, books })
        while (await look());
      }),
    }
  })
}

function underPolicy(reader: ErpReader & ErpBooks, { worker, ports }: Wires): ErpBooks {
  const system = reader.instance
  if (!worker.life) return reader
  return politeReader(reader, { system, gate: worker.life.policies.gate(system), clock: ports.clock })
}
