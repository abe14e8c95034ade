/** In which order a source's messages count, and what a late, early or missing one means; pure. */

/** What a connector declares. `first` is the number of a stream's first message, where the source promises one. */
export type Discipline =
  | { readonly by: 'none' }
  | { readonly by: 'taken' }
  | { readonly by: 'item' | 'global'; readonly first?: number }

export type Gap = { readonly from: number; readonly to: number }

/** How far a stream has been applied. A gap of an item stream blocks it; one of a global stream degrades it. */
export type StreamPosition = {
  readonly lastSequence: number | null
  readonly lastTakenAt: Date | null
  readonly missing: Gap | null
  /** The id of the message that was put aside at its turn: what follows in an item stream waits for it. */
  readonly stoppedBy: string | null
}

export const untouched: StreamPosition = {
  lastSequence: null,
  lastTakenAt: null,
  missing: null,
  stoppedBy: null,
}

/**
 * `superseded`: something later has been applied. `wait`: an earlier one of the same stream is missing or was put
 * aside. `unordered`: the message lacks what its discipline needs and is quarantined.
 */
export type Ruling = 'apply' | 'superseded' | 'wait' | 'unordered'
export type Ruled = { readonly ruling: Ruling; readonly position: StreamPosition }
export type Placed = {
  readonly sequence?: number | null | undefined
  readonly takenAt?: Date | null | undefined
}

/** Decides one message against its stream, and answers the position that the next one is decided against. */
export function rule(discipline: Discipline, position: StreamPosition, message: Placed): Ruled {
  switch (discipline.by) {
    case 'none':
      return { ruling: 'apply', position }
    case 'taken':
      return ruleByTime(position, message.takenAt)
    case 'item':
    case 'global':
      return ruleBySequence(discipline.by, expected(position, discipline.first), position, message.sequence)
  }
}

/** Clocks are coarse: of two states taken at the same moment the one that arrives later counts. */
function ruleByTime(position: StreamPosition, takenAt: Date | null | undefined): Ruled {
  if (!takenAt) return { ruling: 'unordered', position }
  if (position.lastTakenAt && takenAt < position.lastTakenAt) return { ruling: 'superseded', position }
  return { ruling: 'apply', position: { ...position, lastTakenAt: takenAt } }
}

const expected = (position: StreamPosition, first: number | undefined): number | undefined =>
  position.lastSequence === null ? first : position.lastSequence + 1

function ruleBySequence(
  by: 'item' | 'global',
  next: number | undefined,
  position: StreamPosition,
  sequence: number | null | undefined,
): Ruled {
  if (sequence === null || sequence === undefined) return { ruling: 'unordered', position }
  if (next !== undefined && sequence < next) return { ruling: 'superseded', position }
  if (by === 'item' && position.stoppedBy !== null) return { ruling: 'wait', position }
  const applied = { ...position, lastSequence: sequence }
  if (next === undefined || sequence === next) return { ruling: 'apply', position: applied }
  if (by === 'item') {
    const to = Math.min(sequence - 1, position.missing?.to ?? sequence)
    return { ruling: 'wait', position: { ...position, missing: { from: next, to } } }
  }
  // A late message inside a global gap is superseded: the delta that was asked for carries what it says.
  return {
    ruling: 'apply',
    position: { ...applied, missing: { from: position.missing?.from ?? next, to: sequence - 1 } },
  }
}

/** What an item stream still misses once it stands at `lastSequence` and `nextHeld` waits. */
export function gapBefore(lastSequence: number, nextHeld: number | undefined): Gap | null {
  return nextHeld === undefined ? null : { from: lastSequence + 1, to: nextHeld - 1 }
}

/** Sorts the messages of one stream into the order in which they are to be decided; ties keep their arrival. */
export function inOrder<Message extends Placed>(
  discipline: Discipline,
  messages: readonly Message[],
): Message[] {
  const place = (message: Message): number =>
    discipline.by === 'taken' ? (message.takenAt?.getTime() ?? 0) : (message.sequence ?? 0)
  return discipline.by === 'none' ? [...messages] : messages.toSorted((a, b) => place(a) - place(b))
}
