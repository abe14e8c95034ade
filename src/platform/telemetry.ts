/** Trace context as W3C defines it (version 00): who caused what, across HTTP, log, desk and effects. */
import type { Ids } from './ids.ts'

export type Trace = {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
  /** The caller's traceparent where we did not continue it: a hint for people, never a credential. */
  readonly link?: string
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/** Reads a traceparent header; undefined unless it is well-formed. */
export function parseTrace(header: string | undefined): Trace | undefined {
  if (header === undefined || header.length > 512) return undefined
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(header) ?? []
  if (!traceId || !spanId || !flags || version === 'ff' || (version === '00' && rest)) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export function formatTrace(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`
}

/** A new trace; `link` keeps what the caller sent when it is not to be trusted. */
export function startTrace(ids: Ids, link?: string): Trace {
  const random = ids.token(24)
  const trace = { traceId: random.slice(0, 32), spanId: random.slice(32), sampled: true }
  return link === undefined ? trace : { ...trace, link }
}

/** A span of our own inside a trace that goes on. */
export function continueTrace(ids: Ids, parent: Trace): Trace {
  return { traceId: parent.traceId, spanId: ids.token(8), sampled: parent.sampled }
}
