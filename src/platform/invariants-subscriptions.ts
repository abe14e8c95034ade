/** What holds of what subscribers are told: it is on its way, or somebody knows that it is not. */
import { type Invariant, invariant } from './invariants.ts'

const START = 'Start the program, which takes them over; then see its log.'

/** The longest wait between two attempts, with a tenth of jitter and some room. */
const WAIT_MAX = `interval '27 hours'`

/** Somebody is asked, or said no; what the house has closed by itself is told anew when it happens again. */
const isTold = (code: string): string => `exists (
  select from exceptions.exception e
  where e.company = '*' and e.cause = '${code}:' || w.id and (e.closed_at is null or e.closed_by <> 'crossdock'))`

export const subscriptionInvariants: readonly Invariant[] = [
  invariant(
    'subscriptions.dead_letters_are_told',
    `select 'subscription ' || w.id from subscription.webhook w
     where exists (select from subscription.delivery d where d.subscription = w.id and d.state = 'dead')
       and not ${isTold('subscriptions.dead_letter')}`,
    'a subscription with dead letters has an exception with an owner',
  ),
  invariant(
    'subscriptions.stops_are_told',
    `select 'subscription ' || w.id from subscription.webhook w
     where w.state = 'stopped' and not ${isTold('subscriptions.stopped')}`,
    'a subscription that stopped by itself has an exception with an owner',
  ),
  invariant(
    'subscriptions.tries_follow_their_schedule',
    `select 'event ' || d.key || '.' || d.key_version || ' to ' || d.subscription || ' after ' || d.attempts
       || ' attempts at ' || d.due_at
     from subscription.delivery d where d.state = 'waiting'
       and (d.attempts > 9 and not exists (
         select from subscription.webhook w where w.id = d.subscription and w.state = 'stopped')
         or d.due_at > greatest(now(), d.last_failed_at) + ${WAIT_MAX})`,
    'what is not delivered yet is tried again within the schedule, ten times at most, unless its subscription has stopped',
  ),
  invariant(
    'subscriptions.due_is_taken',
    `select 'subscription ' || w.id || coalesce(' of process ' || w.holder, '') from subscription.webhook w
     where w.state = 'active' and w.due_at < now() - interval '15 minutes'
       and not exists (select from desk.node n where n.epoch = w.holder and not n.dead)
       and (exists (
           select from subscription.delivery d where d.subscription = w.id and d.state = 'waiting'
             and d.due_at < now() - interval '15 minutes')
         or (select e.recorded_at from log.event e
           where (e.generation, e.xid, e.position) > (w.generation, w.xid, w.position)
           order by e.generation, e.xid, e.position limit 1) < now() - interval '15 minutes')`,
    'what a subscription is to be told is taken by a process that lives, within a quarter of an hour',
    START,
  ),
]
