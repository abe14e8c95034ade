/** The public words of labels that the house buys for what a warehouse has packed. */

/**
 * `asked` until the carrier sells it or is `refused`; `bought` until the warehouse has it, `given` until goods leave under
 * it (`used`). Of what leaves by paper without a tracking number it is `doubtful` until somebody says which. What is needed
 * no more is `unwanted` while its answer is awaited, `orphaned` once it is paid, then `void`, or `travelling` where the
 * carrier will not void it; `dropped` where nothing was bought.
 */
export type PackingState =
  | 'asked'
  | 'refused'
  | 'unwanted'
  | 'bought'
  | 'given'
  | 'used'
  | 'doubtful'
  | 'orphaned'
  | 'void'
  | 'travelling'
  | 'dropped'

export type PackingKey = { readonly doc: number; readonly number: string }

/** What the carrier is asked for. */
export type LabelAsk = {
  readonly service: string
  readonly shipFrom: object
  readonly shipTo: object
  readonly packages: readonly { readonly sscc: string; readonly weightGrams: number }[]
}

export type LabelContent = {
  readonly sscc: string
  readonly tracking: string
  readonly format: string
  readonly contentBase64: string
}

export type Packing = PackingKey & {
  readonly carrier: string
  readonly ask: LabelAsk
  readonly state: PackingState
  /** The carrier's number of what was bought. */
  readonly label: string | null
  readonly tracking: readonly string[]
  /** What is printed; null once the warehouse has it. */
  readonly content: readonly LabelContent[] | null
}

export type BoughtLabel = PackingKey & {
  readonly label: string
  readonly content: readonly LabelContent[]
  readonly chargeMinor: number
  readonly currency: string
}
