/** A database of its own for each test file, a clone of the migrated template; or a whole server's folder. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { copyCluster } from './cluster-copy.ts'

export type TestDatabase = {
  readonly url: string
  /** Drops the database, closing what is still connected to it. */
  end(): Promise<void>
}

/** `empty` gives a database that nothing has been migrated into. */
export async function testDatabase(kind: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = kind === 'migrated' ? inject('templateName') : 'template0'
  // Copying files, where it can be by the system itself, beats copying through the log on a server that flushes nothing.
  await administer(
    'set file_copy_method = clone',
    `create database ${name} template ${template} strategy file_copy`,
  )
  const url = new URL(inject('postgresUrl'))
  url.pathname = name
  return { url: url.href, end: () => administer(`drop database if exists ${name} with (force)`) }
}

/** Sets up a data folder, with a migrated database in it, for a server of the test's own. */
export const migratedFolder = (dataDirectory: string): Promise<void> =>
  copyCluster(inject('migratedCluster'), dataDirectory)

async function administer(...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
