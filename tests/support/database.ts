/** A database of its own for each test file: a clone of the migrated template. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'

export type TestDatabase = {
  readonly url: string
  /** Drops the database, closing what is still connected to it. */
  end(): Promise<void>
}

/** `empty` gives a database that nothing has been migrated into. */
export async function testDatabase(kind: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = kind === 'migrated' ? inject('templateName') : 'template0'
  // Copying files beats copying through the write-ahead log on a server that flushes nothing.
  await administer(`create database ${name} template ${template} strategy file_copy`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = name
  return { url: url.href, end: () => administer(`drop database if exists ${name} with (force)`) }
}

async function administer(statement: string): Promise<void> {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
