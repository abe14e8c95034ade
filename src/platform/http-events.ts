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
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted')
    signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
  let next: Promise<IteratorResult<ServerEvent>> | undefined
  try {
    for (;;) {
      next ??= iterator.next()
      const silence = pause(clock)
      const first = await Promise.race([next, silence.over, aborted])
      silence.cancel()
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

function pause(clock: Clock): { over: Promise<'silent'>; cancel: () => void } {
  let cancel = () => {}
  const over = new Promise<'silent'>(
    (resolve) => (cancel = clock.after(HEARTBEAT_MS, () => resolve('silent'))),
  )
  return { over, cancel }
}

/** Data is JSON on one line, so it needs no splitting; line breaks in id and event would forge frames. */
export function frameOf({ id, event, data }: ServerEvent): string {
  const oneLine = (text: string) => text.replace(/[\r\n\0]/g, ' ')
  let frame = ''
  if (id !== undefined) frame += `id: ${oneLine(id)}\n`
  if (event !== undefined) frame += `event: ${oneLine(event)}\n`
  return `${frame}data: ${JSON.stringify(data)}\n\n`
}
