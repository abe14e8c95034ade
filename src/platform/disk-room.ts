/** Room on the disks that we write to: without it nothing new is taken in, while all that is under way goes on. */
import { statfs } from 'node:fs/promises'
import type { Clock } from './clock.ts'
import { Outage } from './faults.ts'

export interface DiskRoom {
  /** An `Outage` while a disk is too full. Reads nothing itself: the figure is at most seconds old, or unknown. */
  assert(): void
}

export type DiskRoomOptions = {
  readonly clock: Clock
  readonly folders: readonly string[]
  readonly spaceOf?: (folder: string) => Promise<DiskSpace>
}

export type DiskSpace = {
  /** 0 to 1. */
  readonly used: number
  readonly freeBytes: number
}

/** What is under way needs the rest: write-ahead log, events, the files of partners. */
const FULL = 0.9
/** Of a large disk a tenth is room enough. */
const PLENTY_BYTES = 10 * 1024 ** 3
const LOOK_EVERY_MS = 5_000
/** A figure from before a pause says nothing. */
const USABLE_MS = 30_000
const RETRY_AFTER_MS = 30_000

export function diskRoom({ clock, folders, spaceOf = diskSpaceOf }: DiskRoomOptions): DiskRoom {
  let full: string | undefined
  let seenMs = Number.NEGATIVE_INFINITY
  let askedMs = Number.NEGATIVE_INFINITY

  async function look(): Promise<void> {
    // unknown where a folder cannot be asked: PostgreSQL itself says when it has no room
    const spaces = await Promise.all(folders.map((folder) => spaceOf(folder).catch(() => undefined)))
    const at = spaces.findIndex((space) => space && space.used >= FULL && space.freeBytes < PLENTY_BYTES)
    full = at < 0 ? undefined : `the disk of ${folders[at]} is ${Math.floor(spaces[at]!.used * 100)} % full`
    seenMs = clock.monotonicMs()
  }

  return {
    assert() {
      const nowMs = clock.monotonicMs()
      if (nowMs - askedMs >= LOOK_EVERY_MS) {
        askedMs = nowMs
        void look()
      }
      if (full === undefined || nowMs - seenMs >= USABLE_MS) return
      const retryAt = new Date(clock.now().getTime() + RETRY_AFTER_MS)
      throw new Outage('crossdock', `nothing new is taken in: ${full}`, { retryAt })
    },
  }
}

/** As `df` counts: what is kept for the superuser is no room. */
export async function diskSpaceOf(folder: string): Promise<DiskSpace> {
  const { blocks, bfree, bavail, bsize } = await statfs(folder)
  const used = blocks - bfree
  return { used: used === 0 ? 0 : used / (used + bavail), freeBytes: bavail * bsize }
}
