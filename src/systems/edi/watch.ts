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
  let cancelLook: () => void = () => undefined
  let cancelBeat: () => void = () => undefined
  let looking: Promise<void> = Promise.resolve()
  let beating: Promise<void> = Promise.resolve()

  /** What fails stays taken and is read again at the next look; the files behind it wait no longer for it. */
  async function take(claimed: Claimed): Promise<void> {
    try {
      const report = await read(claimed)
      await folder.putAway(claimed, report.state === 'rejected' ? 'reject' : 'archive')
    } catch (error) {
      // Others have taken it over while this process stood still.
      if (!(await folder.isGone(claimed))) onError(error)
    }
  }

  async function look(): Promise<void> {
    try {
      for (const claimed of [...(await folder.leftovers()), ...(await folder.claim())]) {
        if (stopped) return
        await take(claimed)
      }
      await rest()
    } catch (error) {
      onError(error)
    }
  }

  function next(): void {
    if (stopped) return
    looking = look().finally(() => {
      if (!stopped) cancelLook = clock.after(pollMs, next)
    })
  }

  /** Beside the looks, since reading a large file takes longer than others wait for a sign. */
  function beat(): void {
    beating = folder
      .beat()
      .catch(onError)
      .finally(() => {
        if (!stopped) cancelBeat = clock.after(pollMs, beat)
      })
  }

  return {
    start() {
      beat()
      void beating.then(next)
    },
    async stop() {
      stopped = true
      cancelLook()
      cancelBeat()
      await looking
      await beating
      await folder.leave()
    },
  }
}
