/** Bugs that are planted into how programs that start together bring the database up. */
import type { Bug } from './bug.ts'

const MIGRATIONS = 'src/platform/migrations.ts'
const APPLIED_ONCE = 'if (rows.length > 0) await run(session, migration)'

const TOGETHER = { unmigrated: true, kinds: [], programs: ['all', 'all'], orders: 1 } as const

export const MIGRATION_BUGS: readonly Bug[] = [
  {
    name: 'a migration is recorded before it is applied',
    file: MIGRATIONS,
    find: APPLIED_ONCE,
    replace: `await session.execute(COMMIT, [])\n    await session.execute(BEGIN, [])\n    ${APPLIED_ONCE}`,
    world: {
      ...TOGETHER,
      kinds: ['crash'],
      shares: { crash: 0.1 },
      places: { crash: 'migrations.apply' },
    },
  },
  {
    name: 'a migration is recorded after it is applied, by itself',
    file: MIGRATIONS,
    find: APPLIED_ONCE,
    replace: `if (rows.length > 0) {
      await session.execute(ROLLBACK, [])
      await run(session, migration)
      await session.execute(BEGIN, [])
      await session.execute(CREATE_HISTORY, [])
      await session.execute(RECORD, [migration.name, migration.checksum])
    }`,
    world: {
      ...TOGETHER,
      kinds: ['crash'],
      shares: { crash: 0.1 },
      places: { crash: 'migrations.record' },
    },
  },
  {
    name: 'who has waited applies a migration once more',
    file: MIGRATIONS,
    find: APPLIED_ONCE,
    replace: 'await run(session, migration)',
    world: TOGETHER,
  },
  {
    name: 'programs migrate without waiting for each other',
    file: MIGRATIONS,
    find: 'await session.execute(TAKE_LOCK, LOCK)',
    replace: '',
    world: TOGETHER,
  },
]
