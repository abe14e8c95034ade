/** What holds of the engine's own tables: log, desk, effects, inbox, parked work, audit trail. */
import { type Invariant, invariant } from './invariants.ts'
import { STUCK } from './desk.ts'

const START = 'Start the program, which takes them over; then see its log.'

const CALL = `i.doc || '/' || i.step || '/' || i.subject || '/' || i.generation`

const log: readonly Invariant[] = [
  invariant(
    'log.versions_have_no_gap',
    `select 'document ' || e.key || ': ' || count(*) || ' events, versions ' || min(e.key_version) || ' to ' || max(e.key_version)
     from changed c join log.event e on e.key = c.doc group by e.key
     having min(e.key_version) <> 1 or max(e.key_version) <> count(*)`,
    'the events of a document are its versions from the first on, without a gap',
  ),
  invariant(
    'log.outcome_is_told_once',
    `select 'call ' || (e.data ->> 'effectKey') || ': ' || count(*) || ' outcomes'
     from changed c cross join lateral (
       select data from log.event where key = c.doc and data ? 'effectKey' offset 0) e
     group by e.data ->> 'effectKey' having count(*) > 1`,
    'the outcome of a call to another system is recorded once',
  ),
  invariant(
    'log.partitions_are_ahead',
    `select 'no partition ' || name from (
       select p.prefix || to_char(month, 'YYYYMM') as name from (values ('log.event_'), ('audit.entry_')) p(prefix)
       cross join generate_series(date_trunc('month', now() at time zone 'UTC'),
         date_trunc('month', now() at time zone 'UTC') + interval '1 month', interval '1 month') month) wanted
     where to_regclass(name) is null`,
    'the log and the audit trail have partitions for this month and the next',
    'Restart the program, which makes them.',
  ),
]

const desk: readonly Invariant[] = [
  invariant(
    'desk.owners_are_alive',
    `select d.process || ' ' || d.doc || ' of process ' || d.owner from desk.document d
     where d.owner is not null and not exists (select from desk.node n where n.epoch = d.owner and not n.dead)`,
    'no document is owned by a process that is gone',
    START,
  ),
  invariant(
    'desk.due_work_is_taken',
    `select process || ' ' || doc || ' due since ' || to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
     from desk.document where ${STUCK} order by due_at`,
    'no work that is due lies for five minutes',
    START,
  ),
  invariant(
    'desk.work_given_up_is_parked',
    `select d.process || ' ' || d.doc from desk.document d
     where d.failures > 0 and d.due_at > now() + interval '1 year'
       and not exists (select from parking.item p where p.kind = 'document' and p.key = d.doc::text)`,
    'a document that is not tried again by itself is parked, where a person finds it',
  ),
]

const effects: readonly Invariant[] = [
  invariant(
    'effects.calls_are_in_hands',
    `select 'call ' || ${CALL} || ' at ' || i.system || ' is ' || i.state || ' and nobody goes on with it'
     from effects.intent i where case i.state
       when 'parked' then not exists (
         select from parking.item p where p.kind = 'effect' and p.key = ${CALL} and p.state <> 'replayed')
       else not exists (select from desk.document d where d.doc = i.doc) end`,
    'a call that is not settled belongs to a document at the desk, or is parked',
  ),
  invariant(
    'effects.settled_calls_are_gone',
    `select 'call ' || ${CALL} || ' at ' || i.system || ' is ' || i.state || ', its outcome is told'
     from effects.intent i join log.event e on e.key = i.doc and e.data ->> 'effectKey' = ${CALL}`,
    'a call whose outcome is recorded is not made again',
  ),
  invariant(
    'effects.step_is_tried_as_it_says',
    `select 'call ' || ${CALL} || ' at ' || i.system || ', the step is at generation ' || coalesce(s.generation, 1)
     from effects.intent i left join desk.step s on (s.doc, s.step, s.subject) = (i.doc, i.step, i.subject)
     where i.generation <> coalesce(s.generation, 1)`,
    'a step has one call under way, of the generation that it has reached',
  ),
]

const inbox: readonly Invariant[] = [
  invariant(
    'inbox.messages_are_decided',
    `select m.source || '/' || m.message_id from inbox.message m
     where m.state = 'received' and m.received_at < now() - interval '5 minutes'`,
    'each message has its outcome within five minutes',
  ),
  invariant(
    'inbox.put_aside_is_parked',
    `select m.source || '/' || m.message_id || ' is ' || m.state
     from since join inbox.message m on m.received_at >= since.at
     where m.state in ('parked', 'quarantined')
       and not exists (select from inbox.held h where (h.source, h.message_id) = (m.source, m.message_id))
       and not exists (
         select from parking.item p where p.kind = 'message' and p.key = m.source || '/' || m.message_id)`,
    'a message that was put aside waits for an earlier one, or is parked, where a person finds it',
  ),
  invariant(
    'inbox.stream_counts_what_was_applied',
    `select m.source || '/' || m.message_id || ': ' || m.sequence || ' was applied, the stream stands at ' || s.last_sequence
     from since join inbox.message m on m.received_at >= since.at
     join inbox.stream s on (s.source, s.stream) = (m.source, m.stream)
     where m.state = 'applied' and m.sequence > s.last_sequence`,
    'a stream has gone as far as what was applied of it, so that nothing older is applied after it',
  ),
  invariant(
    'inbox.place_is_applied_once',
    `select m.source || '/' || m.stream || ' ' || m.sequence || ': ' || string_agg(m.message_id, ', ' order by m.message_id)
     from since join inbox.message m on m.received_at >= since.at
     join inbox.stream s on (s.source, s.stream) = (m.source, m.stream)
     where m.state = 'applied' and m.sequence is not null and s.last_sequence is not null
     group by m.source, m.stream, m.sequence having count(*) > 1`,
    'one message is applied for each place of a stream',
  ),
  invariant(
    'inbox.held_wait_for_something',
    `select h.source || '/' || h.message_id || ' waits at ' || h.sequence || ', the stream stands at '
       || coalesce(s.last_sequence::text, 'nothing')
     from inbox.held h left join inbox.stream s on (s.source, s.stream) = (h.source, h.stream)
     where s.source is null or h.sequence <= s.last_sequence or s.missing_from is null and s.stopped_by is null`,
    'a message that waits comes after what its stream has applied, and the stream says what it waits for',
  ),
]

/** From the newest seal back to where the look begins, each by its number. */
const audit: readonly Invariant[] = [
  invariant(
    'audit.seals_follow_each_other',
    `with recursive chain as (
       (select number, generation, xid, hash, previous_hash, null::bytea as expected
        from audit.seal order by number desc limit 1)
       union all
       select s.number, s.generation, s.xid, s.hash, s.previous_hash, c.previous_hash from chain c
       join audit.seal s on s.number = c.number - 1
       where (c.generation, c.xid) >= (select generation, xid from since))
     select case when expected is not null then 'seal ' || (number + 1) || ' does not follow from seal ' || number
       else 'seal ' || (number - 1) || ' is missing' end
     from chain c where hash <> expected
       or number > 1 and (generation, xid) >= (select generation, xid from since)
         and not exists (select from audit.seal s where s.number = c.number - 1)`,
    'the seals of the audit trail follow each other',
    'Somebody has changed the audit trail. Keep the database as it is, and compare it with the signed heads.',
  ),
]

export const engineInvariants: readonly Invariant[] = [...log, ...desk, ...effects, ...inbox, ...audit]

/** Where a person or a partner changes money, stock or rights, the event of it has its audit row in the same transaction. */
export const auditedInvariant = (types: readonly string[]): Invariant =>
  invariant(
    'audit.acts_are_audited',
    `select e.type || ' of ' || e.key || ' in version ' || e.key_version from since
     join log.event e on (e.generation, e.xid, e.position) >= (since.generation, since.xid, 0::bigint)
     where e.type in (${types.map((type) => `'${type}'`).join(', ')}) and not exists (
       select from audit.entry a where (a.generation, a.xid) = (e.generation, e.xid) and a.doc = e.key)`,
    'each act on money, stock or an order has its audit row in the same transaction',
  )
