/** A migrated database of the test file's own, opened as the hot path opens it, that remembers what it was asked. */
import { createHash } from 'node:crypto'
import { systemClock } from '#platform/clock.ts'
import type { Clock } from '#platform/clock.ts'
import { type Connections, createDatabase, type Database, sql, type Statement } from '#platform/database.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { testDatabase } from '#tests/support/database.ts'

export type OpenDatabase = {
  readonly url: string
  readonly database: Database
  readonly connections: Connections
  /** Runs SQL of the test's own: to look where no view looks, and to tamper. */
  run<Row = unknown>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Every statement that was sent so far and works on tables of the house, by name. */
  statements(): ReadonlyMap<string, Statement>
  /** The places in a statement's plan where a table is read without being asked by a key of one of its indexes. */
  fullReads(statement: Statement): Promise<string[]>
  end(): Promise<void>
}

type Options = { readonly clock?: Clock; readonly plans?: 'hot' | 'screen' }

/** Lock order is asserted. Several tests of a file share it, so each uses keys of its own. */
export async function openTestDatabase({
  clock = systemClock,
  plans = 'hot',
}: Options = {}): Promise<OpenDatabase> {
  const { url, end } = await testDatabase()
  const pool = openConnections({
    url,
    size: 4,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 20_000,
    plans,
    onError: () => undefined,
  })
  const sent = new Map<string, Statement>()
  const connections = remembering(pool, sent)
  const database = createDatabase(connections, { clock, random: () => 0.5, assertLockOrder: true })

  async function run<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return database.query<Row>(ownStatement(text), values)
  }

  return {
    url,
    database,
    connections,
    run,
    statements: () =>
      new Map(
        [...sent].filter(([name, { text }]) => !/^(test|database)\./.test(name) && /\w\.\w/.test(text)),
      ),
    async fullReads({ text }) {
      const values = new Set(text.match(/\$\d+/g)).size
      const nulls = values > 0 ? `(${Array(values).fill('null').join(', ')})` : ''
      // Prepared by SQL, so that the session's own plan mode decides, as it does for the driver's statements.
      const [row] = await database.transaction(async (tx) => {
        tx.send(ownStatement(`prepare explained as ${text}`))
        const plan = tx.query<Explanation>(ownStatement(`explain (format json) execute explained${nulls}`))
        tx.send(ownStatement('deallocate explained'))
        return plan
      })
      return readsWithoutKey(row!['QUERY PLAN'][0].Plan)
    },
    async end() {
      await pool.end()
      await end()
    },
  }
}

const ownStatement = (text: string): Statement =>
  sql(`test.${createHash('md5').update(text).digest('hex')}`, text)

function remembering(connections: Connections, sent: Map<string, Statement>): Connections {
  return {
    async acquire() {
      const connection = await connections.acquire()
      return {
        execute(statement, values) {
          sent.set(statement.name, statement)
          return connection.execute(statement, values)
        },
        release: (broken) => connection.release(broken),
      }
    },
  }
}

type Explanation = { readonly 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }
type PlanNode = {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

function readsWithoutKey(node: PlanNode): string[] {
  const type = node['Node Type']
  const below = (node.Plans ?? []).flatMap(readsWithoutKey)
  const isKeyless = /^(Index|Bitmap Index)/.test(type) && node['Index Cond'] === undefined
  if (type !== 'Seq Scan' && !isKeyless) return below
  return [`${type} on ${node['Relation Name'] ?? node['Index Name']}`, ...below]
}
