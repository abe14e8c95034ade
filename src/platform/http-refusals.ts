/** The codes that any door may answer by itself, before or instead of its handler. */
import { refusals } from './http-catalogue.ts'

export const httpRefusals = refusals({
  'http.body_malformed': {
    status: 400,
    title: 'The body is not JSON',
    cause: 'The body is empty, cut off, not UTF-8, or breaks the JSON grammar.',
    fix: 'Send one complete JSON value in UTF-8 without a byte-order mark.',
  },
  'http.body_unsafe': {
    status: 400,
    title: 'The body cannot be read without loss',
    cause:
      'It holds a number that would be rounded, a key twice, text that cannot be stored, or too many levels.',
    fix: 'Send large or exact numbers as strings, each key once, and text without NUL or lone surrogates.',
  },
  'http.invalid': {
    status: 422,
    title: 'Some fields are missing or wrong',
    cause: 'The path, the query or the body does not match the published schema.',
    fix: 'Correct every field listed in "errors" and send the request again.',
  },
  'http.url_malformed': {
    status: 400,
    title: 'The address cannot be read',
    cause: 'The URL has broken percent-encoding or encodes a NUL.',
    fix: 'Encode path and query as UTF-8 with valid percent-encoding.',
  },
  'http.not_found': {
    status: 404,
    title: 'There is no such address',
    cause: 'No route has this path.',
    fix: 'Compare the path with /openapi.json or /docs/api.',
  },
  'http.method_not_allowed': {
    status: 405,
    title: 'The address does not take this method',
    cause: 'The path exists for other methods only.',
    fix: 'Use one of the methods in the Allow header.',
  },
  'http.body_too_large': {
    status: 413,
    title: 'The body is too large',
    cause: 'The body is longer than this route accepts.',
    fix: 'Split the request; the limit is published with the route as x-body-limit-bytes.',
  },
  'http.media_type_unsupported': {
    status: 415,
    title: 'The content type is not accepted',
    cause: 'The route takes application/json in UTF-8 and the request says otherwise or says nothing.',
    fix: 'Send the header "Content-Type: application/json".',
  },
  'http.rate_limited': {
    status: 429,
    title: 'Too many requests',
    cause: 'The client has used up its allowance for this class of requests.',
    fix: 'Wait as long as Retry-After says; the RateLimit headers show what is left.',
  },
  'http.streams_exhausted': {
    status: 429,
    title: 'Too many open event streams',
    cause: 'The server already holds as many event streams as it allows.',
    fix: 'Close streams that nobody watches and connect again later.',
  },
  'http.idempotency_key_missing': {
    status: 400,
    title: 'The Idempotency-Key header is missing',
    cause: 'The request has effects, and without a key a repeated request could have them twice.',
    fix: 'Send an Idempotency-Key that is new for each business intent and the same for each retry of it.',
  },
  'http.idempotency_key_malformed': {
    status: 400,
    title: 'The Idempotency-Key cannot be used',
    cause: 'The key is empty, longer than 255 characters, or holds characters other than visible ASCII.',
    fix: 'Use a UUID or another short string of visible ASCII characters.',
  },
  'http.idempotency_key_reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    cause: 'The same client sent this key within 72 hours with another method, address or body.',
    fix: 'Use a new key for a new intent; repeat a request unchanged.',
  },
  'http.idempotency_key_in_flight': {
    status: 409,
    title: 'The same request is being worked on',
    cause: 'An earlier request with this key has not been answered yet.',
    fix: 'Repeat the request unchanged in a moment; it will answer with the first result.',
  },
  'http.precondition_missing': {
    status: 428,
    title: 'The If-Match header is missing',
    cause: 'The route changes a document that others may have changed since you read it.',
    fix: 'Read the document and send its ETag as If-Match.',
  },
  'http.precondition_failed': {
    status: 412,
    title: 'The document has changed',
    cause: 'If-Match names a version that is no longer the current one.',
    fix: 'Read the document again, decide on what it says now, and send its new ETag.',
  },
  'http.cursor_invalid': {
    status: 400,
    title: 'The cursor does not belong to this list',
    cause:
      'The cursor was changed, comes from another client or server, or the filter differs from its first page.',
    fix: 'Start again without a cursor and follow nextCursor with the same filter.',
  },
})

/** Answers that are nobody's refusal: the house is at fault, late or leaving. */
export const httpFaults = Object.freeze({
  'http.bug': {
    status: 500,
    title: 'Something is broken on our side',
    cause: 'The request met a defect. It is recorded under the trace id.',
    fix: 'Repeat the request with the same Idempotency-Key later, or report the trace id.',
  },
  'http.unavailable': {
    status: 503,
    title: 'A system that is needed cannot answer now',
    cause: 'The named system is down, slow or limiting us.',
    fix: 'Repeat the request with the same Idempotency-Key after Retry-After.',
  },
  'http.timeout': {
    status: 503,
    title: 'The answer took too long',
    cause: 'The request was not finished within its time; it may still take effect.',
    fix: 'Repeat it with the same Idempotency-Key: it is done once and answers with the first result.',
  },
  'http.closing': {
    status: 503,
    title: 'The server is shutting down',
    cause: 'The server finishes what it has begun and takes nothing new.',
    fix: 'Repeat the request; another server or the restarted one will answer.',
  },
})
