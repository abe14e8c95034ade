/** Reads X12 from a stream: any bytes in, events and findings out, never an exception, in constant memory. */
import { finding } from './findings.ts'
import type { X12Event } from './x12-envelopes.ts'
import { EnvelopeReader } from './x12-envelopes.ts'
import type { X12Limits } from './x12-limits.ts'
import { X12_LIMITS } from './x12-limits.ts'
import type { Token } from './x12-segments.ts'
import { SegmentScanner } from './x12-segments.ts'

export type Chunks = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>

/**
 * The events of a file in their order; at most one transaction set is held at a time. Faults of the source
 * itself (a disk, a socket) are thrown; faults of the content are findings.
 */
export async function* readX12(chunks: Chunks, limits: X12Limits = X12_LIMITS): AsyncGenerator<X12Event> {
  const scanner = new SegmentScanner(limits)
  const envelopes = new EnvelopeReader(limits)
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > limits.fileBytes) {
      yield {
        kind: 'finding',
        finding: finding('limit.file_size', scanner.position, `(${limits.fileBytes} bytes)`),
      }
      break
    }
    yield* enveloped(scanner.push(chunk), envelopes)
  }
  yield* enveloped(scanner.end(), envelopes)
  yield* envelopes.end()
}

function* enveloped(tokens: Iterable<Token>, envelopes: EnvelopeReader): Generator<X12Event> {
  for (const token of tokens) yield* envelopes.accept(token)
}
