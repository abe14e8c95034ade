/** Questions about what can be promised: during the day, and at its end of every open door, from memory and from the books. */
import type { Called } from '#platform/http-server.ts'
import type { Caller } from './caller.ts'
import type { Door } from './network.ts'
import type { Scheduler } from './scheduler.ts'
import { type BookHistory, textOf } from './book-history.ts'
import { unharmed } from './defects.ts'
import { BEGIN } from './virtual-clock.ts'

export type Question = { readonly company: string; readonly skus: readonly string[] }

type Place = { readonly location: string; readonly available: string; readonly confidence: string }

type Answered = {
  readonly asOf: string
  readonly items: readonly {
    readonly sku: string
    readonly available: string
    readonly places: readonly Place[]
  }[]
}

const URL = '/process/available-to-promise/v1/availability:query'
/** Processes are within one second of each other, and may sleep longer than they wished. */
const CAUGHT_UP_MS = 6_000

export const ask = (
  caller: Caller,
  key: string,
  { company, skus }: Question,
  maxAgeMs?: number,
): Promise<Called> =>
  caller.post(URL, key, {
    company,
    items: skus.map((sku) => ({ sku })),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  })

/** All that was committed when an answer says that it is; it took no longer to come than callers wait. */
const LAG_MS = 6_000
/** More than any clock is wrong by. */
const SKEWED_MS = 300_000

/** What an answer says that the books never said from the time that it names until it came. */
export function neverSaid(
  history: BookHistory,
  { status, body }: Called,
  { nowMs, struck }: { readonly nowMs: number; readonly struck: readonly string[] },
): string[] {
  if (status !== 200) return []
  const { asOf, items } = JSON.parse(body) as Answered
  const isSkewed = struck.some((name) => name.startsWith('clock-'))
  const asOfMs = Date.parse(asOf) - BEGIN.getTime() - (isSkewed ? SKEWED_MS : 0)
  const wrong = items
    // While a source is silent less is promised than the books say.
    .filter(({ places }) => places.every(({ confidence }) => confidence === 'normal'))
    .filter(({ sku, places }) => !history.said(sku, textOf(places), asOfMs, nowMs))
    .map(({ sku, places }) => `of ${sku} as of ${asOf}: ${textOf(places)}`)
  const isLate = unharmed(struck) && !isSkewed && nowMs - asOfMs > LAG_MS
  return isLate ? [...wrong, `an answer as of ${asOf} came ${nowMs - asOfMs} ms later`] : wrong
}

/** Nothing changes any more: what each door remembers is what the books say. */
export async function forgetful(
  scheduler: Scheduler,
  doors: readonly Door[],
  questions: readonly Question[],
): Promise<string[]> {
  const wrong: string[] = []
  for (const door of doors) {
    for (const question of questions) {
      const remembered = await answerAt(scheduler, door, question, false)
      const booked = await answerAt(scheduler, door, question, true)
      const differs = [...remembered].some(([place, figure]) => isOther(figure, booked.get(place)))
      if (differs || remembered.size !== booked.size)
        wrong.push(`${door.actor.name} says ${toldOf(remembered)}, the books ${toldOf(booked)}`)
    }
  }
  return wrong
}

/** Lets everybody take in what was done last. */
export async function catchUp(scheduler: Scheduler): Promise<void> {
  const untilMs = scheduler.nowMs + CAUGHT_UP_MS
  await scheduler.run(() => scheduler.nowMs >= untilMs)
}

async function answerAt(
  scheduler: Scheduler,
  { actor, call }: Door,
  { company, skus }: Question,
  explain: boolean,
): Promise<Figures> {
  let said: Figures | undefined
  const body = JSON.stringify({ company, explain, items: skus.map((sku) => ({ sku })) })
  const headers = { 'content-type': 'application/json' }
  const run = async (): Promise<void> => {
    void call({ method: 'POST', url: URL, headers, body }).then((answer) => (said = figuresOf(answer)))
  }
  scheduler.offer({ actor, label: 'asked at the end', run })
  await scheduler.run(() => said !== undefined || !actor.alive)
  return said ?? new Map()
}

/** By item and place; of one whose source is just falling silent the figure may be of before or after. */
type Figures = ReadonlyMap<string, { readonly available: string; readonly isNormal: boolean }>
type Figure = Figures extends ReadonlyMap<string, infer F> ? F : never

const isOther = (one: Figure, other: Figure | undefined): boolean =>
  other === undefined || (one.isNormal && other.isNormal && one.available !== other.available)

const toldOf = (figures: Figures): string =>
  [...figures].map(([place, { available }]) => `${place} ${available}`.trim()).join(', ')

function figuresOf({ status, body }: Called): Figures {
  if (status !== 200) {
    const { code } = JSON.parse(body) as { code: string }
    return new Map([[`${status} ${code}`, { available: '', isNormal: true }]])
  }
  const { items } = JSON.parse(body) as Answered
  const places = items.flatMap(({ sku, places: some }) => some.map((place) => ({ sku, ...place })))
  return new Map(
    places
      .toSorted((a, b) => (`${a.sku} ${a.location}` < `${b.sku} ${b.location}` ? -1 : 1))
      .map(({ sku, location, available, confidence }) => [
        `${sku} ${location}`,
        { available, isNormal: confidence === 'normal' },
      ]),
  )
}
