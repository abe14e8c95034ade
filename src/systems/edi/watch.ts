/** Watches the folder: files are read one after the other, what is owed is written, what is overdue is reported. */
import type { Clock } from '#platform/clock.ts'
import type { Claimed, Folder } from './folder.ts'
import type { FileReport } from './reception.ts'

export type WatchOptions = {
  readonly folder: Folder
  readonly clock: Clock
  readonly pollMs: number
  readonly read: (claimed: Claimed) => Promise<FileReport>
  /** After the files of each look. */
  readonly rest: () => Promise<void>
  readonly onError: (error: unknown) => void
}

export interface Watch {
  start(): void
  /** Resolves when the file at hand is put away or given back. */
  stop(): Promise<void>
}

export function watchFolder({ folder, clock, pollMs, read, rest, onError }: WatchOptions): Watch {
  let stopped = false
  let cancel: () => void = () => undefined
  let looking: Promise<void> = Promise.resolve()
  let first = true

  /** What fails stays taken and is read again at the next look; the files behind it wait no longer for it. */
  async function take(claimed: Claimed): Promise<void> {
    try {
      const report = await read(claimed)
      await folder.putAway(claimed, report.state === 'rejected' ? 'reject' : 'archive')
    } catch (error) {
      onError(error)
    }
  }

  async function look(): Promise<void> {
    try {
      const leftovers = await folder.leftovers(first ? 'everybody' : 'mine')
      first = false
      for (const claimed of [...leftovers, ...(await folder.claim())]) {
        if (stopped) return
        await take(claimed)
      }
      await rest()
    } catch (error) {
      onError(error)
    }
  }

  function next(): void {
    looking = look().finally(() => {
      if (!stopped) cancel = clock.after(pollMs, next)
    })
  }

  return {
    start: next,
    async stop() {
      stopped = true
      cancel()
      await looking
    },
  }
}
