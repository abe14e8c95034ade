/** Planners who give what there is too little of to whom it should go: each looks at what a backorder run would move, and has it done. */
import type { BackorderChange, BackorderRun } from '../../src/domains/inventory/contract/backorder-runs.ts'
import { draw, drawInteger, drawOne } from '#landscape/random.ts'
import { type Item, type Receipt, type World, type WorldOrder, factorOf } from '#landscape/world/world.ts'
import type { Clients } from './clients.ts'
import { NEAR_SITES } from './counterparts.ts'
import type { WholeDay } from './day.ts'
import { orderOf } from './made-orders.ts'
import { type People, type PeopleParts, Work } from './people.ts'
import type { RunHistory } from './run-history.ts'

type Parts = PeopleParts & {
  readonly world: World
  readonly clients: Clients
  readonly day: WholeDay
  readonly history: RunHistory
}

const RUNS = '/process/inventory/v1/backorder-runs'
const TIMES: [number, number] = [1, 2]
/** While a warehouse is silent, on days on which one is. */
const WHILE_SILENT_MS: [number, number] = [15_000, 19_000]
const PAUSE_MS: [number, number] = [0, 900]
const LOOKS_MS = 600
/** In tenths of what is there at first; as much is to come. */
const KEPT: [number, number] = [6, 16]
const WANTED: [number, number] = [8, 24]
const ABOVE_ALL = 10
const WANTER_SHIPS = ['ship-available', 'line-complete'] as const
const WINS = ['win', 'gain', 'improve', 'redistribute'] as const
const LOSES = ['lose', 'fill', 'redistribute'] as const
const OTHERS = ['fill', 'improve', 'lose'] as const

export function openRunPeople(parts: Parts): People {
  const work = new RunWork(parts)
  for (let nth = 0; nth < drawInteger(parts.seed, 'runs', 0, TIMES); nth++) work.begin(`run-${nth}`)
  return work
}

/** Of what there is too little: who has it and does not send it, and who wants it. */
type Contest = { readonly item: Item; readonly keeper: WorldOrder; readonly wanter: WorldOrder }

class RunWork extends Work<Parts> {
  begin(key: string): void {
    const { seed, day } = this.parts
    const range: [number, number] = day.stock.includes('silence') ? WHILE_SILENT_MS : [0, day.withinMs]
    this.later(key, drawInteger(seed, 'begins', key, range), () => this.#work(key))
  }

  async #work(key: string): Promise<void> {
    const { seed, clients } = this.parts
    const contest = this.#contest(key)
    // Who waits for something else keeps what it has, as does who is blocked.
    await clients.submit(contest.keeper, `${key}-keeps`, { shippingRule: 'ship-complete' })
    const wanted = clients.submit(contest.wanter, `${key}-wants`, {
      shippingRule: drawOne(seed, 'wanter ships', key, WANTER_SHIPS),
    })
    if (draw(seed, 'patient', key) < 0.8) await wanted
    const again = draw(seed, 'runs again', key) < 0.4 ? ['first', 'then'] : ['first']
    await Promise.all([wanted, ...again.map((name) => this.#plan(`${key}-${name}`, contest))])
  }

  /** Plans, looks, thinks it over, has it done, and looks until it is over. */
  async #plan(key: string, { item, wanter }: Contest): Promise<void> {
    const { seed, scheduler, history } = this.parts
    await this.pause('run-pause', `${key}-before`, PAUSE_MS)
    const askedMs = scheduler.nowMs
    const rules = {
      segments: [
        { class: drawOne(seed, 'wins', key, WINS), when: { customers: [wanter.customer] } },
        { class: drawOne(seed, 'loses', key, LOSES), when: { shippingRules: ['ship-complete'] } },
      ],
      otherwise: drawOne(seed, 'others', key, OTHERS),
    }
    const isOfAll = draw(seed, 'of all', key) < 0.4
    const planned = await this.caller.post(RUNS, `${key}-plan`, {
      dryRun: true,
      company: item.company,
      ...(!isOfAll && { items: [item.number] }),
      rules,
    })
    if (planned.status !== 201) return this.fail(`${key} was not planned`, planned)
    const { id } = JSON.parse(planned.body) as BackorderRun
    history.asked.set(id, askedMs)
    const shown = await this.#read(id)
    if (shown.run.state !== 'planned') this.wrong.push(`run ${id} is ${shown.run.state}, and nobody said so`)
    if (draw(seed, 'thinks', key) < 0.6) await this.pause('run-pause', `${key}-thinks`, PAUSE_MS)
    if (draw(seed, 'starts', key) < 0.15) return
    await this.#start(key, id)
    while ((await this.#read(id)).run.state !== 'ended') await this.caller.sleep(LOOKS_MS)
    this.#compare(id, { shown, done: await this.#read(id) })
  }

  /** A run is done once, whoever asks for it. */
  async #start(key: string, run: number): Promise<void> {
    const body = { dryRun: false, run, reason: key }
    const names = draw(this.parts.seed, 'twice', key) < 0.3 ? ['start', 'start-too'] : ['start']
    const answers = await Promise.all(names.map((name) => this.caller.post(RUNS, `${key}-${name}`, body)))
    const started = answers.filter(({ status }) => status === 202)
    const refused = answers.filter(({ status }) => status === 409)
    if (started.length !== 1 || refused.length !== names.length - 1)
      for (const answer of answers) this.fail(`run ${run} was started ${started.length} times`, answer)
  }

  /** What was shown stays what is shown, but for how far it is; no class does what it does not. */
  #compare(id: number, { shown, done }: { shown: Shown; done: Shown }): void {
    const without = ({ items }: Shown): string =>
      JSON.stringify(items.map(({ state: _, changed: __, ...change }) => change))
    if (without(shown) !== without(done)) this.wrong.push(`run ${id} is not what was shown`)
    for (const { order, class: name, quantity, state, changed } of done.items) {
      const isGain = Number(quantity) > 0
      if (isGain ? name === 'fill' || name === 'lose' : name === 'win' || name === 'gain')
        this.wrong.push(`run ${id} moves ${quantity} of ${order}, of class ${name}`)
      if (state === 'planned' || (state === 'changed') !== (changed !== undefined))
        this.wrong.push(`run ${id} has ended, and a change of ${order} is ${state}: ${changed}`)
    }
  }

  async #read(id: number): Promise<Shown> {
    const answer = await this.caller.get(`${RUNS}/${id}?limit=200`)
    if (answer.status !== 200) this.fail(`run ${id} was not read`, answer)
    return JSON.parse(answer.body) as Shown
  }

  /** Two orders of one item want more than all of it, and one of them keeps what it gets. */
  #contest(key: string): Contest {
    const { seed, world, day } = this.parts
    // Of the other warehouse no more is promised while it is silent than is less than a case.
    const sites = day.stock.includes('silence') ? NEAR_SITES : undefined
    const isMeant = ({ lot, site }: Receipt): boolean => lot === '' && (sites?.includes(site) ?? true)
    const numbers = new Set(world.receipts.filter(isMeant).map((row) => row.item))
    const items = world.items.filter(({ number }) => numbers.has(number))
    const item = drawOne(seed, 'contested', key, items)
    const other = items.find(({ company, number }) => company === item.company && number !== item.number)!
    const all = this.#unitsOf(item)
    const part = (name: string, range: [number, number]): number =>
      Math.ceil((all * drawInteger(seed, name, key, range)) / 10)
    const wants = (name: string, of: readonly [item: Item, quantity: number][]): WorldOrder =>
      orderOf(world, { seed, key: `${key}-${name}`, company: item.company }, of)
    return {
      item,
      keeper: wants('keeps', [
        [item, part('kept', KEPT)],
        [other, ABOVE_ALL * this.#unitsOf(other)],
      ]),
      wanter: wants('wants', [[item, part('wanted', WANTED)]]),
    }
  }

  /** How many there are at all places, in the unit in which it is sold. */
  #unitsOf(item: Item): number {
    const rows = this.parts.world.stock.filter(
      (row) => row.item === item.number && row.status === 'available',
    )
    const { numerator, denominator } = factorOf(item, item.salesUnit)!
    return Math.floor((rows.reduce((sum, row) => sum + row.quantity, 0) * denominator) / numerator)
  }
}

type Shown = { readonly run: BackorderRun; readonly items: readonly BackorderChange[] }
