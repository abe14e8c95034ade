/**
 * People who see to what subscribers are not told: they read why, have the receiver mended, let one that stopped go on from
 * where it stood, and have sent again what was given up.
 */
import { draw } from '#landscape/random.ts'
import type { Called } from '#platform/http-server.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type CallerParts, openCaller } from './caller.ts'
import { type Subscriber, SUBSCRIPTIONS } from './subscriber.ts'

/** Somebody had us send, at a moment between these steps. */
export type Act = { readonly subscriber: Subscriber; readonly from: number; to: number }

/** A dead letter that was sent again, and how often it had been taken until then. */
export type SentAgain = { readonly subscriber: Subscriber; readonly id: string; readonly takenBefore: number }

export type SubscriberPeople = {
  readonly acts: readonly Act[]
  readonly sentAgain: readonly SentAgain[]
  /** What they were told otherwise than it is. */
  readonly wrong: readonly string[]
  open(): number
  /** Whoever was left alone for long is called now. */
  pressOn(): void
}

type Parts = CallerParts & {
  readonly seed: string
  readonly all: readonly Subscriber[]
  /** Into the database, as an action of its own. */
  readonly look: Query
}

/** By the schedule that subscribers are told of. */
export const TRIES = 10
const ROUND_MS = 2_500
/** In the first of them some want to be told all again. */
const AGAIN_ROUNDS = 3
const AGAIN_SHARE = 0.2
const PRESS_MS = 10_000
const HOURS_PASS_MS = 500

/** Of those who do not go on by themselves: what their owner was asked to see to. */
const UNWELL = `
  select w.id, w.state = 'stopped' as "isStopped", array(
    select e.code from exceptions.exception e
    where e.company = '*' and e.owner = w.owner and e.closed_at is null
      and e.cause in ('subscriptions.stopped:' || w.id, 'subscriptions.dead_letter:' || w.id)) as told
  from subscription.webhook w
  where w.state = 'stopped'
    or exists (select from subscription.delivery d where d.subscription = w.id and d.state = 'dead')
  order by w.id`
type Unwell = { readonly id: string; readonly isStopped: boolean; readonly told: readonly string[] }

/** Sent later than at once: its subscriber has them come now. */
const PUT_OFF = `
  select w.id from subscription.webhook w
  where w.state = 'active' and (w.due_at > now() + interval '1 second' or exists (
    select from subscription.delivery d
    where d.subscription = w.id and d.state = 'waiting' and d.due_at > now() + interval '1 second'))`

/** The hours between two tries of what is not taken, but nothing of what a receiver asked for. */
const HOURS_PASS = `
  with tried as (
    update subscription.delivery set due_at = now() where ctid = any(array(
      select ctid from subscription.delivery
      where subscription = any($1) and state = 'waiting' and due_at > now() + interval '1 second'
      for update skip locked)))
  update subscription.webhook set due_at = now() where ctid = any(array(
    select w.ctid from subscription.webhook w
    where w.id = any($1) and w.due_at > now() + interval '1 second' and not exists (
      select from subscription.attempt a
      where a.subscription = w.id and a.status in (429, 503) and a.at > now() - interval '40 seconds')
    for update skip locked))`

export function openSubscriberPeople(parts: Parts): SubscriberPeople {
  const { seed, scheduler, outside, all, look } = parts
  const { post, get, sleep } = openCaller(parts)
  const acts: Act[] = []
  const sentAgain: SentAgain[] = []
  const wrong: string[] = []
  let open = 0

  /** Whoever has not heard yet that he has subscribed sees to nothing. */
  const called = (id: string): Subscriber | undefined =>
    all.find(({ subscription }) => subscription?.id === id)
  const isAiling = ({ refused }: Subscriber): boolean => refused.size > 0

  async function haveSent(subscriber: Subscriber, act: string, body: object): Promise<Called> {
    const key = `${subscriber.name}-${act}-${acts.length}`
    const made: Act = { subscriber, from: scheduler.steps, to: Infinity }
    acts.push(made)
    const answer = await post(`${SUBSCRIPTIONS}/${subscriber.subscription!.id}:${act}`, key, body)
    made.to = scheduler.steps
    return answer
  }

  async function mend({ id, isStopped, told }: Unwell): Promise<void> {
    const subscriber = called(id)
    if (!subscriber) return
    const code = isStopped ? 'subscriptions.stopped' : 'subscriptions.dead_letter'
    if (!told.includes(code)) wrong.push(`${subscriber.name}: its owner was not told of ${code}`)
    await (isStopped ? goOn(subscriber) : sendAgain(subscriber))
  }

  const isMended = (subscriber: Subscriber): void => {
    subscriber.isGone = false
    subscriber.refused.clear()
  }

  async function goOn(subscriber: Subscriber): Promise<void> {
    const { name, subscription } = subscriber
    isMended(subscriber)
    if (draw(seed, 'from where it stood', `${name} ${acts.length}`) < 0.5) {
      const { cursor } = JSON.parse((await get(`${SUBSCRIPTIONS}/${subscription!.id}`)).body) as {
        cursor: string
      }
      const { status, body } = await haveSent(subscriber, 'replay', { after: cursor })
      if (status !== 200) wrong.push(`${name} was not told again from where it stood: ${status} ${body}`)
    }
    const { status, body } = await haveSent(subscriber, 'resume', {})
    if (status !== 200) wrong.push(`${name} did not go on: ${status} ${body}`)
  }

  async function sendAgain(subscriber: Subscriber): Promise<void> {
    const { name, subscription, letters, taken } = subscriber
    const page = await get(`${SUBSCRIPTIONS}/${subscription!.id}/dead-letters?limit=100`)
    const { items } = JSON.parse(page.body) as { items: { event: string; attempts: number }[] }
    for (const { event: id, attempts } of items) {
      const tries = letters.filter(({ headers }) => headers['webhook-id'] === id).length
      if (attempts !== TRIES || tries < TRIES)
        wrong.push(`${name} was given up with ${id} after ${tries} tries`)
      sentAgain.push({ subscriber, id, takenBefore: taken.filter(({ event }) => event.id === id).length })
    }
    isMended(subscriber)
    const answer = await haveSent(subscriber, 'replay', { deadLetters: true })
    const { deadLetters } = JSON.parse(answer.body) as { deadLetters: number }
    if (!(deadLetters >= items.length))
      wrong.push(`${name} is sent ${deadLetters} of ${items.length} dead letters`)
  }

  /** From the beginning, whatever is under way. */
  async function tellAllAgain(subscriber: Subscriber): Promise<void> {
    const { name, subscription } = subscriber
    const { status, body } = await haveSent(subscriber, 'replay', { after: subscription!.cursor })
    if (status !== 200) wrong.push(`${name} was not told all again: ${status} ${body}`)
  }

  async function seeTo(): Promise<void> {
    for (let nth = 0; ; nth++) {
      await sleep(ROUND_MS)
      const unwell = await look<Unwell>(UNWELL)
      open++
      for (const one of unwell) await mend(one)
      for (const one of nth < AGAIN_ROUNDS ? all : [])
        if (one.subscription && draw(seed, 'all again', `${one.name} ${nth}`) < AGAIN_SHARE)
          await tellAllAgain(one)
      open--
    }
  }

  async function pressOn(): Promise<void> {
    for (;;) {
      const late = (await look<{ id: string }>(PUT_OFF)).flatMap(({ id }) => called(id) ?? [])
      for (const subscriber of late.filter((one) => !isAiling(one))) {
        await haveSent(subscriber, 'pause', { reason: 'about to go on' })
        await haveSent(subscriber, 'resume', {})
      }
      await sleep(PRESS_MS)
    }
  }

  async function passHours(): Promise<void> {
    for (;;) {
      await sleep(HOURS_PASS_MS)
      const ailing = all.filter(isAiling).map(({ subscription }) => subscription!.id)
      if (ailing.length > 0) await look(HOURS_PASS, [ailing])
    }
  }

  scheduler.after(0, { actor: outside, label: 'subscribers are seen to', run: () => void seeTo() })
  scheduler.after(0, { actor: outside, label: 'hours pass', run: () => void passHours() })
  return { acts, sentAgain, wrong, open: () => open, pressOn: () => void pressOn() }
}
