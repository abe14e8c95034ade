/** How large things may be before the reader says no. */
export type X12Limits = {
  readonly fileBytes: number
  readonly segmentBytes: number
  readonly elementsPerSegment: number
  readonly segmentsPerSet: number
  readonly bytesPerSet: number
  readonly findingsPerSet: number
  /** So many things that begin like a header and are none, and the reader stops looking for one that is. */
  readonly malformedHeaders: number
}

/** A set of 8 MiB is an order of some 50,000 segments; the largest that partners are known to send have a tenth. */
export const X12_LIMITS: X12Limits = {
  fileBytes: 256 * 1024 * 1024,
  segmentBytes: 16 * 1024,
  elementsPerSegment: 100,
  segmentsPerSet: 50_000,
  bytesPerSet: 8 * 1024 * 1024,
  findingsPerSet: 100,
  malformedHeaders: 100,
}
