/** A database of some items with a feed that tells of one store by files, and the terminal beside it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { upsertItems } from '#domains/items/operations.ts'
import { OLIVES } from '#tests/support/olives.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock } from './program.ts'

type Ended = Awaited<ReturnType<typeof crossdock>>

export type FeedFolder = FolderDatabase & {
  /** Of `crossdock inventory`, with the configuration. */
  run(...words: readonly string[]): Promise<Ended>
  /** Writes the lines and loads them as the feed's. */
  load(
    name: string,
    lines: readonly string[],
    ...more: readonly string[]
  ): Promise<Ended & { readonly report: object | undefined }>
}

const CONFIG = {
  companies: [{ code: 'NWF', name: 'Foods', currency: 'USD', timeZone: 'UTC', country: 'US', erp: 'erp' }],
  systems: {
    erp: {
      connector: 'erp-legacy',
      baseUrl: 'http://127.0.0.1:1/',
      credentials: { user: 'u', password: 'p' },
    },
  },
  locations: ['CHI-1', 'CHI-2'].map((code) => ({ code, type: 'store', timeZone: 'America/Chicago' })),
  feeds: {
    counts: {
      locations: ['CHI-1'],
      moves: { ship: 'available > shipped' },
      tolerance: { units: 8 },
    },
  },
}

/** `numbered` are items whose units have serials. */
export async function feedFolder(
  skus: readonly string[],
  numbered: readonly string[] = [],
): Promise<FeedFolder> {
  const folder = await folderDatabase()
  const item = { ...OLIVES, units: [{ unit: 'CA', factor: { numerator: 12, denominator: 1 } }] } as const
  const erp = { source: 'erp', company: 'NWF', asOf: new Date('2026-11-02T06:00:00Z') }
  const items = [
    ...skus.map((sku) => ({ ...item, sku })),
    ...numbered.map((sku) => ({ ...item, sku, serialControlled: true })),
  ]
  await folder.database.transaction((tx) => upsertItems(tx, erp, items))
  const config = join(folder.path, 'crossdock.yaml')
  writeFileSync(config, JSON.stringify(CONFIG))
  const run = (...words: readonly string[]) =>
    crossdock('inventory', ...words, '--data', folder.path, '--config', config)
  return {
    ...folder,
    run,
    async load(name, lines, ...more) {
      const path = join(folder.path, name)
      writeFileSync(path, `${lines.join('\n')}\n`)
      const ended = await run('load', path, '--source', 'counts', '--json', '--quiet', ...more)
      return { ...ended, report: ended.stdout === '' ? undefined : (JSON.parse(ended.stdout) as object) }
    },
  }
}
