/**
 * What clients were told, beside what our database and the counterparts' books say at the end. Set semantics: what was
 * acknowledged is there once, what was refused is not there, what nobody answered may be either.
 */

/** One word of a client's: it calls, and hears yes, no, or nothing that tells. */
export type Entry = {
  /** Monotonic, from the start of the run. */
  readonly atMs: number
  readonly call: number
  /** `tell`: a shop or a partner tells of an order, and `ok` is that it was told it is taken, whatever becomes of it then. */
  readonly operation: 'submit' | 'tell' | 'cancel'
  /** `given-up`: a shop tries no more to tell, so it has to be asked for the order. */
  readonly kind: 'invoke' | 'ok' | 'fail' | 'info' | 'given-up'
  /** The idempotency key, or what stands for it elsewhere. */
  readonly key: string
  /** Of an order the business document; of a cancellation the order's number. */
  readonly subject: string
  readonly status?: number
  /** The number that the answer gives the order. */
  readonly id?: string | undefined
  readonly code?: string | undefined
}

export type KnownOrder = {
  readonly id: string
  readonly subject: string
  /** `owned`: it stands still, and an open exception with owner and due time says why. */
  readonly state: 'closed' | 'held' | 'waiting' | 'owned' | 'stuck'
  readonly cancelRequested: boolean
}

/** A document of ours, its version, and the versions its events have made. */
export type Versions = {
  readonly document: string
  readonly version: number
  readonly events: number
  readonly first: number | null
  readonly last: number | null
}

/** What one side says of a document: two sides that agree say the same text. */
export type Said = { readonly reference: string; readonly says: string }
export type Book = {
  readonly documents: string
  readonly ours: readonly Said[]
  readonly theirs: readonly Said[]
}

export type Evidence = {
  readonly log: readonly Entry[]
  /** Business documents that a shop or a partner told of and of which nothing can be sold, as an exception with owner and due time says, or our answer. */
  readonly refused: readonly string[]
  readonly orders: readonly KnownOrder[]
  readonly versions: readonly Versions[]
  readonly books: readonly Book[]
}

export type Anomaly = {
  readonly kind: string
  readonly documents: readonly string[]
  readonly detail: string
}

export function checkHistory({ log, orders, refused, versions, books }: Evidence): Anomaly[] {
  return [
    ...checkKeys(log),
    ...checkSubmissions(log, orders),
    ...checkTaken(log, orders, refused),
    ...checkCancellations(log, orders),
    ...orders.flatMap(checkEnd),
    ...versions.flatMap(checkVersions),
    ...books.flatMap(checkBook),
  ]
}

const anomaly = (kind: string, documents: readonly string[], detail: string): Anomaly => ({
  kind,
  documents,
  detail,
})

/** One key is one operation with one result, however often it is sent. */
function checkKeys(log: readonly Entry[]): Anomaly[] {
  const keys = Map.groupBy(
    log.filter(({ kind }) => kind === 'ok' || kind === 'fail'),
    ({ operation, key }) => `${operation} ${key}`,
  )
  return [...keys].flatMap(([key, answers]) => {
    const results = new Set(
      answers.map(({ kind, id, code }) => (kind === 'ok' ? `ok ${id}` : `fail ${code}`)),
    )
    return results.size < 2
      ? []
      : [anomaly('one key had several results', idsOf(answers), `${key}: ${[...results].join(', ')}`)]
  })
}

const idsOf = (entries: readonly Entry[]): string[] => [
  ...new Set(entries.flatMap(({ id }) => (id === undefined ? [] : [id]))),
]

function checkSubmissions(log: readonly Entry[], orders: readonly KnownOrder[]): Anomaly[] {
  const submitted = Map.groupBy(
    log.filter(({ operation }) => operation !== 'cancel'),
    ({ subject }) => subject,
  )
  const kept = Map.groupBy(orders, ({ subject }) => subject)
  const told = [...submitted].flatMap(([subject, entries]) =>
    checkSubject(
      subject,
      entries,
      (kept.get(subject) ?? []).map(({ id }) => id),
    ),
  )
  const phantoms = orders.filter(({ subject }) => !submitted.has(subject))
  return [...told, ...phantoms.map(({ id, subject }) => anomaly('an order that nobody sent', [id], subject))]
}

function checkSubject(subject: string, entries: readonly Entry[], kept: readonly string[]): Anomaly[] {
  const found: Anomaly[] = []
  const acknowledged = idsOf(entries.filter(({ kind }) => kind === 'ok'))
  if (acknowledged.length > 1)
    found.push(anomaly('one document was acknowledged as several', acknowledged, subject))
  const lost = acknowledged.filter((id) => !kept.includes(id))
  if (lost.length > 0) found.push(anomaly('an acknowledged order is lost', lost, subject))
  if (kept.length > 1) found.push(anomaly('an order is there twice', kept, subject))
  if (kept.length > 0 && isRefused(entries)) {
    const codes = entries.flatMap(({ kind, code }) => (kind === 'fail' ? [code] : []))
    found.push(anomaly('a refused order is there', kept, `${subject}: ${codes.join(', ')}`))
  }
  return found
}

/** What a shop or a partner was told is taken, or tells no more, is there, or its refusal is answered or has an owner. */
function checkTaken(
  log: readonly Entry[],
  orders: readonly KnownOrder[],
  refused: readonly string[],
): Anomaly[] {
  const decided = new Set([...orders.map(({ subject }) => subject), ...refused])
  const lost = log.filter(({ operation, subject }) => operation === 'tell' && !decided.has(subject))
  return (['ok', 'given-up'] as const).flatMap((end) => {
    const ended = Map.groupBy(
      lost.filter(({ kind }) => kind === end),
      ({ subject }) => subject,
    )
    return [...ended].map(([subject, told]) =>
      anomaly(LOST[end], [...new Set(told.map(({ key }) => key))], subject),
    )
  })
}

const LOST = {
  ok: 'an order that its teller was told is taken is lost',
  'given-up': 'an order of which its shop tells no more was not asked for',
} as const

/** Every key under which it was sent was refused; one that was never answered may have been accepted. */
function isRefused(entries: readonly Entry[]): boolean {
  const keys = new Set(entries.map(({ key }) => key))
  const refused = new Set(entries.flatMap(({ kind, key }) => (kind === 'fail' ? [key] : [])))
  return entries.every(({ kind }) => kind !== 'ok') && refused.size === keys.size
}

function checkCancellations(log: readonly Entry[], orders: readonly KnownOrder[]): Anomaly[] {
  const requested = new Set(orders.flatMap(({ id, cancelRequested }) => (cancelRequested ? [id] : [])))
  const asked = new Set(log.flatMap(({ operation, subject }) => (operation === 'cancel' ? [subject] : [])))
  const acknowledged = log.filter(({ operation, kind }) => operation === 'cancel' && kind === 'ok')
  const forgotten = new Set(acknowledged.map(({ subject }) => subject).filter((id) => !requested.has(id)))
  return [
    ...[...forgotten].map((id) => anomaly('an acknowledged cancellation is forgotten', [id], id)),
    ...[...requested]
      .filter((id) => !asked.has(id))
      .map((id) => anomaly('a cancellation that nobody asked for', [id], id)),
  ]
}

const checkEnd = ({ id, subject, state }: KnownOrder): Anomaly[] =>
  state === 'stuck' ? [anomaly('a document is stuck and nobody owns it', [id], subject)] : []

function checkVersions({ document, version, events, first, last }: Versions): Anomaly[] {
  if (first === 1 && last === version && events === version) return []
  const detail = `version ${version}, ${events} events from ${first} to ${last}`
  return [anomaly('versions of a document have a gap', [document], detail)]
}

function checkBook({ documents, ours, theirs }: Book): Anomaly[] {
  const known = new Map(ours.map(({ reference, says }) => [reference, says]))
  const held = Map.groupBy(theirs, ({ reference }) => reference)
  const found: Anomaly[] = []
  for (const [reference, copies] of held) {
    const says = copies.map((copy) => copy.says).join(' | ')
    const our = known.get(reference)
    if (copies.length > 1) found.push(anomaly(`twice at its target: ${documents}`, [reference], says))
    else if (our === undefined) found.push(anomaly(`only theirs: ${documents}`, [reference], says))
    else if (our !== says)
      found.push(anomaly(`both sides differ: ${documents}`, [reference], `ours ${our}, theirs ${says}`))
  }
  for (const { reference, says } of ours)
    if (!held.has(reference)) found.push(anomaly(`only ours: ${documents}`, [reference], says))
  return found
}
