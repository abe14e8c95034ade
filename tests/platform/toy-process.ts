/** A toy business for the process runner: documents that are prepared, posted, shipped, taken back and closed. */
import { operation } from '#platform/connector.ts'
import { sql, type Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import {
  type AnyCall,
  type Answers,
  type Begun,
  call,
  type Done,
  type DocumentFacts,
  type Process,
  process,
  type RefusedCall,
  type Work,
} from '#platform/process.ts'

/** What a document is to go through; each test asks for what it needs. */
export type Plan = {
  readonly prepare?: true
  /** Subjects that the house packs itself; those that begin with `!` may not be packed. */
  readonly pack?: readonly string[]
  /** Subjects posted to the store, all at once. */
  readonly post?: readonly string[]
  /** Subjects shipped by the depot, once everything is posted. */
  readonly ship?: readonly string[]
  readonly children?: readonly { readonly doc: number; readonly plan: Plan }[]
  /** Is never closed: it sleeps when it has nothing to do. */
  readonly open?: true
  readonly poison?: 'facts' | 'prepare' | 'confirmed' | 'request'
  /** `prepare` carries facts that are not what it wrote. */
  readonly lies?: true
}

export type ToyFacts = DocumentFacts & {
  readonly parent: number | null
  readonly plan: Plan
  /** What was done, in order; whatever is done twice stands here twice. */
  readonly done: readonly string[]
  readonly cancelled: boolean
  readonly ringAt: Date | null
  readonly rung: boolean
  /** Written by others without locking the document, as children do. */
  readonly notes: readonly string[]
}

export const TABLES = [
  `create table public.toy (doc bigint primary key, version int not null default 1, company text not null default 'north',
     parent bigint, plan jsonb not null, done text[] not null default '{}', cancelled boolean not null default false,
     ring_at timestamptz)`,
  'create table public.toy_note (doc bigint, note text, primary key (doc, note))',
  'create table public.toy_trouble (doc bigint, trouble text)',
]

const factsOf = sql(
  'toy.facts',
  `select doc, version, company, parent, plan, done, cancelled, ring_at as "ringAt",
     coalesce(ring_at <= now(), false) as rung, coalesce(parent, doc) as "correlationId",
     array(select note from public.toy_note n where n.doc = t.doc order by note) as notes
   from public.toy t where doc = any($1::bigint[]) order by doc for update`,
)
const record = sql(
  'toy.record',
  `update public.toy t set version = version + 1, done = done || string_to_array(w.words, '|')
   from unnest($1::bigint[], $2::text[]) w(doc, words) where t.doc = w.doc returning t.doc, version`,
)
const create = sql(
  'toy.create',
  `insert into public.toy (doc, plan, parent, ring_at)
   select doc, plan, parent, ring_at from unnest($1::bigint[], $2::jsonb[], $3::bigint[], $4::timestamptz[])
     as t(doc, plan, parent, ring_at)`,
)
const note = sql('toy.note', 'insert into public.toy_note values ($1, $2) on conflict do nothing')

export type NewToy = {
  readonly doc: number
  readonly plan: Plan
  readonly parent?: number
  readonly ringAt?: Date
}

/** Writes new documents and answers the facts they begin with. */
export function createToys(tx: Transaction, toys: readonly NewToy[]): ToyFacts[] {
  tx.send(create, [
    toys.map(({ doc }) => doc),
    toys.map(({ plan }) => JSON.stringify(plan)),
    toys.map(({ parent }) => parent ?? null),
    toys.map(({ ringAt }) => ringAt ?? null),
  ])
  return toys.map(({ doc, plan, parent = null, ringAt = null }) => ({
    doc,
    version: 1,
    company: 'north',
    correlationId: parent ?? doc,
    parent,
    plan,
    done: [],
    cancelled: false,
    ringAt,
    rung: false,
    notes: [],
  }))
}

export const writeNote = (tx: Transaction, doc: number, text: string): void => tx.send(note, [doc, text])

const lock = sql('toy.lock', 'select from public.toy where doc = $1 for update')

export function lockToy(tx: Transaction, doc: number): void {
  tx.locking('document', [doc])
  tx.send(lock, [doc])
}

const cancelled = sql(
  'toy.cancel',
  'update public.toy set cancelled = true, version = version + 1 where doc = $1',
)

export const cancelToy = (tx: Transaction, doc: number): void => tx.send(cancelled, [doc])

const rung = sql('toy.ring', 'update public.toy set ring_at = now(), version = version + 1 where doc = $1')

export const ringToy = (tx: Transaction, doc: number): void => tx.send(rung, [doc])

export const toyRow = (doc: number, row: Partial<DeskRow> = {}): DeskRow => ({
  doc,
  process: 'toy',
  company: 'north',
  priority: 2,
  share: 0,
  ...row,
})

const has = ({ done }: ToyFacts, word: string): boolean => done.includes(word)
const lacking = (facts: ToyFacts, step: string, subjects: readonly string[] = []): string[] =>
  subjects.filter((subject) => !has(facts, `${step} ${subject}`))
/** Done and not taken back. */
const standing = (facts: ToyFacts, step: string, subjects: readonly string[] = []): string[] =>
  subjects.filter((subject) => has(facts, `${step} ${subject}`) && !has(facts, `un${step} ${subject}`))
const isPrepared = (facts: ToyFacts): boolean => has(facts, 'prepare') && !has(facts, 'unprepare')

const isBeingTakenBack = (facts: ToyFacts): boolean =>
  facts.cancelled &&
  (isPrepared(facts) ||
    standing(facts, 'post', facts.plan.post).length > 0 ||
    standing(facts, 'ship', facts.plan.ship).length > 0)

const onward =
  (step: string, subjects: (plan: Plan) => readonly string[] | undefined) =>
  (facts: ToyFacts): string[] =>
    facts.cancelled ? [] : lacking(facts, step, subjects(facts.plan))

const isComplete = (facts: ToyFacts): boolean =>
  facts.cancelled ||
  ((facts.plan.prepare === undefined || has(facts, 'prepare')) &&
    lacking(facts, 'post', facts.plan.post).length === 0 &&
    lacking(facts, 'ship', facts.plan.ship).length === 0)

/** Writes words to documents; their facts as they are then, unless somebody else changed them in between. */
async function write<W extends { readonly facts: ToyFacts }>(
  tx: Transaction,
  works: readonly W[],
  deed: (work: W) => readonly string[],
): Promise<Map<W, Done<ToyFacts>>> {
  const words = works.map((work) => deed(work).join('|'))
  const rows = await tx.query<{ doc: number; version: number }>(record, [
    works.map(({ facts }) => facts.doc),
    words,
  ])
  const versions = new Map(rows.map(({ doc, version }) => [doc, version]))
  return new Map(
    works.map((work): [W, Done<ToyFacts>] => {
      const version = versions.get(work.facts.doc)!
      if (version !== work.facts.version + 1) return [work, 'look']
      return [work, { facts: { ...work.facts, version, done: [...work.facts.done, ...deed(work)] } }]
    }),
  )
}

function poisonIs(kind: Plan['poison'], works: readonly { readonly facts: ToyFacts }[]): void {
  const bad = works.find(({ facts }) => facts.plan.poison === kind)
  if (bad) throw new Error(`${bad.facts.doc} is poison`)
}

type Deed = (tx: Transaction, works: readonly Work<ToyFacts>[]) => Promise<Answers<Work<ToyFacts>, ToyFacts>>

const does =
  (word: string): Deed =>
  (tx, works) =>
    write(tx, works, ({ subjects }) => subjects.map((subject) => (subject ? `${word} ${subject}` : word)))

const prepare: Deed = async (tx, works) => {
  poisonIs('prepare', works)
  const answers = await write(tx, works, () => ['prepare'])
  for (const [work, done] of answers) {
    if (work.facts.plan.lies && done !== 'look') {
      answers.set(work, { facts: { ...work.facts, done: ['prepare', 'a lie'] } })
    }
  }
  return answers
}

/** Locks an account first, as what is taken back does. */
const doesWithAccount =
  (what: string): Deed =>
  (tx, works) => {
    tx.locking(
      'credit account',
      works.map(({ facts }) => facts.doc),
    )
    return does(what)(tx, works)
  }

const pack: Deed = async (tx, works) => {
  const answers = await write(tx, works, ({ subjects }) =>
    subjects.filter((subject) => !subject.startsWith('!')).map((subject) => `pack ${subject}`),
  )
  for (const [work, done] of answers) {
    const refused = work.subjects.flatMap((subject) =>
      subject.startsWith('!') ? [{ subject, reason: 'it may not be packed' }] : [],
    )
    if (done !== 'look') answers.set(work, { ...done, refused })
  }
  return answers
}

const spawn =
  (self: () => Process): Deed =>
  async (tx, works) => {
    const answers = await write(tx, works, () => ['spawn'])
    const newborn = works.flatMap(({ facts: { doc, plan } }) =>
      (plan.children ?? []).map((child) => ({ ...child, parent: doc })),
    )
    const begun = createToys(tx, newborn).map((facts): Begun => ({ process: self(), facts }))
    for (const [work, done] of answers) {
      const begins = begun.filter(({ facts }) => (facts as ToyFacts).parent === work.facts.doc)
      answers.set(work, done === 'look' ? { facts: 'look', begins } : { ...done, begins })
    }
    return answers
  }

/** A child that is closed tells its parent. */
const close: Deed = async (tx, works) => {
  const answers = await write(tx, works, () => ['close'])
  for (const [work, done] of answers) {
    const { parent, doc } = work.facts
    if (parent === null || done === 'look') continue
    writeNote(tx, parent, `child ${doc}`)
    answers.set(work, { ...done, wakes: [toyRow(parent)] })
  }
  return answers
}

/** A refused undo keeps what is true: nothing more is taken back. */
const keep = (tx: Transaction, refused: readonly RefusedCall<ToyFacts>[]) =>
  write(tx, refused, ({ refusals }) => refusals.map(({ subject, code }) => `${code} ${subject}`))

const asks = (capability: string, name: string): AnyCall<ToyFacts> =>
  call<ToyFacts, { readonly of: number }, unknown>({
    operation: operation(capability, name),
    businessKey: (facts, subject) => `${facts.doc} ${subject}`,
    request(facts) {
      poisonIs('request', [{ facts }])
      return { of: facts.doc }
    },
    async confirmed(tx, answered) {
      poisonIs('confirmed', answered)
      return write(tx, answered, ({ answers }) => answers.map(({ subject }) => `${name} ${subject}`))
    },
    // A refusal is written to the document, whose facts only a look tells then.
    refused: async (tx, refused) => {
      await keep(tx, refused)
      return new Map(refused.map((work) => [work, 'look']))
    },
  })

async function loadFacts(tx: Transaction, docs: readonly number[]): Promise<Map<number, ToyFacts>> {
  const rows = await tx.query<ToyFacts>(factsOf, [docs])
  poisonIs(
    'facts',
    rows.map((facts) => ({ facts })),
  )
  return new Map(rows.map((facts) => [facts.doc, facts]))
}

export const toy: Process<ToyFacts> = process<ToyFacts>('toy', {
  kind: 'toy',
  rank: 1,
  facts: loadFacts,
  steps: {
    prepare: {
      when: (facts) => facts.plan.prepare === true && !facts.cancelled && !has(facts, 'prepare'),
      do: prepare,
      undo: { when: isPrepared, do: doesWithAccount('unprepare') },
    },
    pack: { each: onward('pack', (plan) => plan.pack), do: pack },
    note: { each: (facts) => lacking(facts, 'note', facts.notes), do: does('note') },
    spawn: {
      when: (facts) => facts.plan.children !== undefined && !has(facts, 'spawn'),
      do: spawn(() => toy),
    },
    ring: {
      when: (facts) => facts.rung && !has(facts, 'ring'),
      do: doesWithAccount('ring'),
      locksEarly: true,
    },
    post: {
      each: onward('post', (plan) => plan.post),
      call: asks('store', 'post'),
      undo: { each: (facts) => standing(facts, 'post', facts.plan.post), call: asks('store', 'unpost') },
    },
    ship: {
      each: (facts) =>
        lacking(facts, 'post', facts.plan.post).length > 0 ? [] : onward('ship', (plan) => plan.ship)(facts),
      call: asks('depot', 'ship'),
      undo: { each: (facts) => standing(facts, 'ship', facts.plan.ship), call: asks('depot', 'unship') },
    },
    close: { when: (facts) => !facts.plan.open && !has(facts, 'close') && isComplete(facts), do: close },
  },
  undoing: isBeingTakenBack,
  finished: (facts) => has(facts, 'close'),
  wakeAt: (facts) => (has(facts, 'ring') ? undefined : (facts.ringAt ?? undefined)),
})
