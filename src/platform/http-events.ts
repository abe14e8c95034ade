/** Server-sent events: frames of the HTML standard, with a heartbeat so that proxies and readers notice a dead line. */
import type { Clock } from './clock.ts'
import type { ServerEvent } from './http.ts'

export const HEARTBEAT_MS = 15_000
const HEARTBEAT = ': still here\n\n'

/** Text frames of `events` until it ends or `signal` aborts; a comment goes out when nothing else did for 15 s. */
export async function* frames(
  events: AsyncIterable<ServerEvent>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield 'retry: 2000\n\n'
  const iterator = events[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<ServerEvent>> | undefined
  try {
    for (;;) {
      next ??= iterator.next()
      const first = await firstOf(next, clock, signal)
      if (first === 'aborted') return
      if (first === 'silent') yield HEARTBEAT
      else if (first.done) return
      else {
        next = undefined
        yield frameOf(first.value)
      }
    }
  } finally {
    // The iterator may be waiting for its next event: it is told to stop, and nobody waits for it.
    next?.catch(() => undefined)
    Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}

/** Not a race with one promise for the end of the stream: until then that would keep every event that won. */
function firstOf<T>(next: Promise<T>, clock: Clock, signal: AbortSignal): Promise<T | 'silent' | 'aborted'> {
  const { promise, resolve, reject } = Promise.withResolvers<T | 'silent' | 'aborted'>()
  const cancel = clock.after(HEARTBEAT_MS, () => resolve('silent'))
  const abort = (): void => resolve('aborted')
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  next.then(resolve, reject)
  return promise.finally(() => {
    cancel()
    signal.removeEventListener('abort', abort)
  })
}

/** Data is JSON on one line, so it needs no splitting; line breaks in id and event would forge frames. */
export function frameOf({ id, event, data }: ServerEvent): string {
  const oneLine = (text: string) => text.replace(/[\r\n\0]/g, ' ')
  let frame = ''
  if (id !== undefined) frame += `id: ${oneLine(id)}\n`
  if (event !== undefined) frame += `event: ${oneLine(event)}\n`
  return `${frame}data: ${JSON.stringify(data)}\n\n`
}
