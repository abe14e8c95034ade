/**
 * Bugs that were made before, here or elsewhere, each a small change of the product's text. The simulation must catch
 * every one; `world` names what its smallest world needs, where the usual mix of faults would seldom show it.
 */
import type { Bug } from './bug.ts'
import { FEED_BUGS } from './feed-bugs.ts'
import { LABEL_BUGS } from './label-bugs.ts'
import { MIGRATION_BUGS } from './migration-bugs.ts'
import { OWNER_BUGS } from './owner-bugs.ts'
import { PARCEL_BUGS } from './parcel-bugs.ts'
import { CONTEST_BUGS } from './contest-bugs.ts'
import { STOCK_BUGS } from './stock-bugs.ts'
import { STOP_BUGS } from './stop-bugs.ts'
import { SUBSCRIBER_BUGS } from './subscriber-bugs.ts'
import { X12_BUGS } from './x12-bugs.ts'

const DESK = 'src/platform/desk.ts'
const EFFECTS = 'src/platform/effects.ts'
const TURN = 'src/platform/turn.ts'
const LANES = 'src/platform/lanes.ts'
const DATABASE = 'src/platform/database.ts'
const LEASE = 'src/platform/lease.ts'
const STREAMS = 'src/platform/inbox-streams.ts'
const ORDER = 'src/platform/inbox-order.ts'
const STOCK = 'src/domains/inventory/operations.ts'

const CRASHES = ['crash', 'answer-lost', 'answer-slow'] as const
/** Stock comes free, or arrives, while the owner of those who wait for it stands still about to let them sleep. */
const AWAITED = {
  kinds: ['stall'],
  shares: { stall: 0.3 },
  places: { stall: 'desk.sleep' },
  programs: ['all', 'all'],
  alike: [11, 36],
  orders: 7,
  withinMs: 500,
  cancels: 0.6,
} as const
/** Doors in one program, the work of all of them in two others. */
const APART = ['api', 'worker', 'worker'] as const
/** The place of an order for which there is stock for some, at the ERP that knows no keys. */
const FOODS = 36
/** Orders of two customers for the same item, of which there is enough for one of them. */
const RIVALS = [11, FOODS]
const ZOMBIES = ['zombie', 'answer-slow'] as const

export const BUGS: readonly Bug[] = [
  {
    name: 'a wake-up leaves the version as it is',
    file: DESK,
    find: 'do update set version = d.version + 1, due_at = now()',
    replace: 'do update set due_at = now()',
    world: AWAITED,
  },
  {
    name: 'a document sleeps without a look at its version',
    file: DESK,
    find: `failures = 0
   where doc = any($1::bigint[]) and version = $2 and owner = $3`,
    replace: `failures = 0
   where doc = any($1::bigint[]) and $2::int is not null and owner = $3`,
    world: { ...AWAITED, programs: APART, shares: { stall: 0.6 } },
  },
  {
    name: 'who has left the desk cannot be woken',
    file: DESK,
    find: `as w(doc, process, company, priority, share)
   on conflict`,
    replace: `as w(doc, process, company, priority, share)
     where w.doc in (select doc from desk.document)
   on conflict`,
    world: { kinds: [], cancels: 1, orders: 6 },
  },
  {
    name: 'a wake-up does not make due',
    file: DESK,
    find: 'version = d.version + 1, due_at = now(), owner',
    replace: 'version = d.version + 1, owner',
    world: { kinds: [], programs: APART },
  },
  {
    name: 'documents are claimed without locking',
    file: DESK,
    find: `order by d.doc for update skip locked`,
    replace: `order by d.doc`,
    world: {
      kinds: ['stall'],
      shares: { stall: 0.1 },
      places: { stall: 'database.commit' },
      programs: APART,
      orders: 6,
      withinMs: 20,
    },
  },
  {
    name: 'transactions are not fenced',
    file: LEASE,
    find: `'select desk.fence($1) as xid'`,
    replace: `'select pg_current_xact_id()::text as xid where $1::bigint is not null'`,
    world: { kinds: ZOMBIES },
  },
  {
    name: 'the dead are buried without waiting for their transactions',
    file: LEASE,
    find: '  await tx.query(fenceOff, [epoch])\n',
    replace: '',
    world: { kinds: ZOMBIES },
  },
  {
    name: 'a takeover does not give documents back',
    file: LEASE,
    find: 'set owner = null, due_at = now() where owner = $1',
    replace: 'set owner = null, due_at = now() where owner = $1 and false',
    world: { kinds: CRASHES },
  },
  {
    name: 'a process is visible before it holds its lock',
    file: LEASE,
    find: 'pg_advisory_lock(1, epoch::int)',
    replace: 'pg_try_advisory_xact_lock(1, epoch::int)',
    world: { kinds: [] },
  },
  {
    name: 'a call is sent after the lease is over',
    file: 'src/app-worker.ts',
    find: 'mayStillSend = (): boolean => lease.valid()',
    replace: 'mayStillSend = (): boolean => true',
    world: {
      kinds: ['coma'],
      shares: { coma: 0.05 },
      places: { coma: '/soon' },
      programs: ['all', 'all'],
      alike: [FOODS],
      orders: 16,
      withinMs: 6_000,
      cancels: 0,
    },
  },
  {
    name: 'a call in doubt is sent again blindly',
    file: EFFECTS,
    find: `return recovery === 'lookup' ? 'look up' : 'park'`,
    replace: `return recovery === 'lookup' ? 'send' : 'park'`,
  },
  {
    name: 'a call is sent again under a new key',
    file: 'src/platform/runner.ts',
    find: 'key: effectKey(intent), businessKey',
    replace: 'key: `${effectKey(intent)}.${attempts}`, businessKey',
    world: { kinds: ['answer-lost'], shares: { 'answer-lost': 0.3 }, orders: 6 },
  },
  {
    name: 'what is not found at once counts as absent',
    file: EFFECTS,
    find: 'const surely = absentAfter !== null && askedAt >= absentAfter',
    replace: 'const surely = true',
    world: { kinds: ['request-late', 'answer-lost'] },
  },
  {
    name: 'a look-up counts from when its answer is read',
    file: EFFECTS,
    find: 'absentAfter !== null && askedAt >= absentAfter',
    replace: 'absentAfter !== null && now >= absentAfter',
    // It is asked before what is under way arrives, and its answer is read after that.
    world: {
      kinds: ['request-late', 'answer-slow', 'stall'],
      shares: { 'request-late': 0.8, 'answer-slow': 1, stall: 0.8 },
      places: { 'request-late': 'SD_ORDER_CREATE', 'answer-slow': 'SD_ORDER_READ', stall: '/slow' },
      systems: ['legacyErp'],
      alike: [FOODS],
      orders: 6,
      cancels: 0,
    },
  },
  {
    name: 'a call that is sent again is still taken for unsent',
    file: TURN,
    find: `if (intent.state === 'retry')`,
    replace: `if (intent.state === 'parked')`,
    // It dies when what it sent again has arrived.
    world: {
      kinds: ['crash', 'request-refused'],
      shares: { crash: 0.1, 'request-refused': 0.5 },
      places: { crash: '/answer' },
      alike: [FOODS],
      orders: 6,
      cancels: 0,
    },
  },
  {
    name: 'a failure without an answer counts as not sent',
    file: LANES,
    find: 'if (error instanceof NotSent) return error',
    replace: `if (error instanceof Error) return new NotSent('erp', 'connect', error)`,
  },
  {
    name: 'a look-up that is sent home is forgotten',
    file: LANES,
    find: `state: sendable.inDoubt ? 'unknown' : 'retry'`,
    replace: `state: 'retry'`,
    world: {
      kinds: ['no-answer-reset', 'rate-limit'],
      shares: { 'no-answer-reset': 0.4 },
      systems: ['legacyErp'],
      alike: [FOODS],
      orders: 6,
    },
  },
  {
    name: 'settled calls stay open',
    file: EFFECTS,
    find: 'delete from effects.intent where doc = any($1::bigint[])',
    replace: 'delete from effects.intent where doc = -1 and doc = any($1::bigint[])',
  },
  {
    name: 'a call that has to wait is never due again',
    file: 'src/platform/turn-entry.ts',
    find: 'if (dueAt) times.push(held',
    replace: 'if (dueAt && false) times.push(held',
    world: { kinds: ['answer-lost', 'request-refused'] },
  },
  {
    name: 'it is acknowledged before the commit',
    file: DATABASE,
    find: '    await tx.commit(xid, answer)\n',
    replace: '    void tx.commit(xid, answer).catch(() => undefined)\n',
    world: { kinds: ['crash', 'database-restart', 'session-ended'] },
  },
  {
    name: 'a commit that rolled back counts as done',
    file: DATABASE,
    find: `if (outcome.command === 'COMMIT') return\n`,
    replace: `if (outcome.command) return\n`,
    world: { kinds: ['serialization-failure'] },
  },
  {
    name: 'a lost acknowledgement counts as a commit',
    file: DATABASE,
    find: 'if (lost && (await wasCommitted(error, startedMs))) return error.answer as T',
    replace: 'if (lost) return error.answer as T',
    world: {
      kinds: ['session-ended'],
      shares: { 'session-ended': 0.2 },
      places: { 'session-ended': 'database.commit' },
    },
  },
  {
    name: 'a lost acknowledgement counts as a rollback',
    file: DATABASE,
    find: 'if (lost && (await wasCommitted(error, startedMs))) return error.answer as T',
    replace: '',
    world: { kinds: ['acknowledgement-lost'] },
  },
  {
    name: 'two processes number documents from one block',
    file: 'src/platform/ids.ts',
    find: `select nextval('desk.document_block')::int8 as block`,
    replace: `select last_value::int8 as block from desk.document_block`,
  },
  {
    name: 'messages of a stream are applied as they come',
    file: ORDER,
    find: `return { ruling: 'wait', position: { ...position, missing: { from: next, to } } }`,
    replace: `return { ruling: 'apply', position: { ...applied, missing: null } }`,
    world: { kinds: ['webhook-delay'], shares: { 'webhook-delay': 0.5 } },
  },
  {
    name: 'messages that waited are never let go',
    file: STREAMS,
    find: `discipline.by === 'item' ? await releaseHeld(tx, moved) : []`,
    replace: `discipline.by === 'item' && moved.length > 99 ? await releaseHeld(tx, moved) : []`,
    world: { kinds: ['webhook-reorder', 'webhook-delay', 'webhook-lost'], orders: 6 },
  },
  {
    name: 'a request that comes again is new',
    file: 'src/platform/http-idempotency.ts',
    find: `if (earlier) return { state: 'replay'`,
    replace: `if (earlier && earlier.status < 0) return { state: 'replay'`,
    world: { kinds: ['client-answer-lost', 'client-repeats'], shares: { 'client-answer-lost': 0.3 } },
  },
  {
    name: 'a cancelled order keeps its reservations',
    file: STOCK,
    find: `  await freeClaims(tx, reservations)\n`,
    replace: '',
  },
  {
    name: 'reservations that a request carries are counted twice',
    file: STOCK,
    find: `): void {\n  deleteReservations(tx, claims)\n}`,
    replace: `): void {\n  deleteReservations(tx, claims.slice(1))\n}`,
  },
  {
    name: 'stock is reserved without locking',
    file: 'src/domains/inventory/store.ts',
    find: `order by item_id, location for no key update`,
    replace: `order by item_id, location`,
    world: { kinds: [], alike: RIVALS, orders: 6, withinMs: 20, cancels: 0 },
  },
  {
    name: 'stock that leaves stays reserved',
    file: 'src/domains/inventory/store.ts',
    find: 'set available = p.available + c.available, reserved = p.reserved + c.reserved,',
    replace: 'set available = p.available + c.available, reserved = p.reserved + 0 * c.reserved,',
  },
  {
    name: 'seals pass over what commits late',
    file: 'src/platform/audit-seals.ts',
    find: `     and (e.generation < (select max(generation) from log.generation)
       or e.xid < pg_snapshot_xmin(pg_current_snapshot()))
   order by e.generation, e.xid, e.position limit $4`,
    replace: `   order by e.generation, e.xid, e.position limit $4`,
    world: {
      kinds: ['stall'],
      shares: { stall: 0.2 },
      places: { stall: 'database.commit' },
      orders: 7,
      withinMs: 2_000,
      cancels: 0.6,
    },
  },
  {
    name: 'the answers of a batch are taken by place',
    file: 'src/systems/wms-depot/connector.ts',
    find: 'legible(() => outcomeOfRelease(body.external_ref, byReference.get(body.external_ref))),',
    replace: `legible(() => {
        const result = results[releases.findIndex((release) => release.effect === effect && byReference && body)]
        return outcomeOfRelease(result?.externalRef ?? '', result)
      }),`,
    world: { kinds: [], alike: [FOODS], orders: 7, withinMs: 10, cancels: 0, programs: ['all'] },
  },
  {
    name: 'a shipment is named to channels by the number of its warehouse',
    file: 'src/processes/shipment.ts',
    find: 'shipment: shipmentNumber(doc),',
    replace: 'shipment: row.number,',
    world: { kinds: [], partners: true, orders: 8 },
  },
  {
    name: 'a document for a partner counts as written before it is left',
    file: 'src/systems/edi/outbox.ts',
    find: 'await folders.leave(',
    replace: 'void folders.leave(',
    world: {
      kinds: ['crash'],
      shares: { crash: 0.3 },
      places: { crash: 'files.leave' },
      partners: true,
      programs: ['all', 'all'],
    },
  },
  {
    name: 'a message that has come before counts as new',
    file: 'src/platform/inbox.ts',
    find: `(same ? 'duplicate' : 'conflict')`,
    replace: `(same ? 'new' : 'conflict')`,
    world: {
      kinds: ['webhook-duplicate', 'webhook-stale'],
      shares: { 'webhook-duplicate': 0.8 },
      programs: ['all'],
      orders: 6,
    },
  },
  ...STOCK_BUGS,
  ...FEED_BUGS,
  ...CONTEST_BUGS,
  ...STOP_BUGS,
  ...MIGRATION_BUGS,
  ...SUBSCRIBER_BUGS,
  ...X12_BUGS,
  ...PARCEL_BUGS,
  ...LABEL_BUGS,
  ...OWNER_BUGS,
]
