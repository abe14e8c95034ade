/** The watched folder: files are taken by renaming them, so that each is one reader's, and put away when they are read. */
import { join } from 'node:path'
import type { Clock } from '#platform/clock.ts'
import type { Files } from './files.ts'

export type FolderOptions = {
  readonly inboxDirectory: string
  readonly archiveDirectory: string
  readonly rejectDirectory: string
  readonly files: Files
  readonly clock: Clock
  /** Names this reader among those that watch the same folder. */
  readonly reader: string
  /** A reader that has shown no sign of life for so long is dead, and its files are anybody's. */
  readonly abandonedAfterMs: number
}

export type Claimed = { readonly path: string; readonly name: string }

export interface Folder {
  /** A sign of life: without one, others take this reader's files. */
  beat(): Promise<void>
  /** Files that were taken and not put away: those of this reader, and those of readers that are dead. */
  leftovers(): Promise<Claimed[]>
  /** Takes the files that have not changed since the look before. */
  claim(): Promise<Claimed[]>
  putAway(claimed: Claimed, where: 'archive' | 'reject'): Promise<void>
  /** It lies no longer where it was taken to. */
  isGone(claimed: Claimed): Promise<boolean>
  /** Gives no more signs of life. */
  leave(): Promise<void>
}

/** How uploads name what they have not finished; what begins with a dot is nobody's business. */
const UNFINISHED = /^\.|\.(?:tmp|part|partial|filepart|crdownload|uploading)$/i

/** When it was taken, by whom, its number there, and how it was called. */
const CLAIM = /^[^-]+-([^-]+)-\d+-(.+)$/

/** How a file was called when it came, whoever has taken it since. */
export const firstNameOf = (name: string): string => CLAIM.exec(name)?.[2] ?? name

export function openFolder(options: FolderOptions): Folder {
  const { inboxDirectory, files, clock, reader } = options
  // inside of the inbox, so that taking a file is a rename on one file system
  const processing = join(inboxDirectory, '.processing')
  const isDead = watchSigns(processing, options)
  let seen: ReadonlyMap<string, string> = new Map()
  let taken = 0

  async function take(from: string, name: string): Promise<Claimed[]> {
    const stamp = clock
      .now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '')
    const claimed = `${stamp}-${reader}-${++taken}-${name}`
    const path = join(processing, claimed)
    return (await files.move(from, path)) ? [{ path, name: claimed }] : []
  }

  return {
    beat: () => files.write(signOf(processing, reader), clock.now().toISOString()),
    async leftovers() {
      const names = [...(await files.looks(processing)).keys()].filter((name) => !name.startsWith('.'))
      const byReader = Map.groupBy(names, (name) => CLAIM.exec(name)?.[1] ?? '')
      const found = (byReader.get(reader) ?? []).map((name) => ({ path: join(processing, name), name }))
      byReader.delete(reader)
      for (const [other, theirs] of byReader) {
        if (!(await isDead(other))) continue
        for (const name of theirs) found.push(...(await take(join(processing, name), firstNameOf(name))))
        await files.remove(signOf(processing, other))
      }
      return found
    },
    async claim() {
      const looks = await files.looks(inboxDirectory)
      const settled = [...looks].filter(([name, look]) => !UNFINISHED.test(name) && seen.get(name) === look)
      seen = looks
      const claimed: Claimed[] = []
      for (const [name] of settled) claimed.push(...(await take(join(inboxDirectory, name), name)))
      return claimed
    },
    async putAway({ path, name }, where) {
      const directory = where === 'archive' ? options.archiveDirectory : options.rejectDirectory
      await files.move(path, join(directory, name))
    },
    isGone: ({ path }) =>
      files.look(path).then(
        (look) => look === undefined,
        () => false,
      ),
    leave: () => files.remove(signOf(processing, reader)),
  }
}

const signOf = (processing: string, reader: string): string => join(processing, `.${reader}`)

/**
 * Tells the dead by their signs: none, since a reader gives one before it takes anything and removes it when it leaves,
 * or one that stays as it is for as long as our own clock says, since clocks of other machines mean nothing here. Who is
 * thought dead and is only slow does no harm: what it reads on is known by its content.
 */
function watchSigns(
  processing: string,
  { files, clock, abandonedAfterMs }: FolderOptions,
): (reader: string) => Promise<boolean> {
  const signs = new Map<string, { readonly look: string; readonly sinceMs: number }>()
  return async (reader) => {
    const look = await files.look(signOf(processing, reader))
    if (look === undefined) return true
    const nowMs = clock.monotonicMs()
    const before = signs.get(reader)
    if (before?.look === look) return nowMs - before.sinceMs >= abandonedAfterMs
    signs.set(reader, { look, sinceMs: nowMs })
    return false
  }
}
