/** The watched folder: files are taken by renaming them, so that each is one reader's, and put away when they are read. */
import { copyFile, mkdir, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#platform/clock.ts'

export type FolderOptions = {
  readonly inboxDirectory: string
  readonly archiveDirectory: string
  readonly rejectDirectory: string
  readonly clock: Clock
  /** Names this reader among those that watch the same folder. */
  readonly reader: string
}

export type Claimed = { readonly path: string; readonly name: string }

export interface Folder {
  /** Files that were taken and not put away: everybody's at the start, later those of this reader. */
  leftovers(whose: 'everybody' | 'mine'): Promise<Claimed[]>
  /** Takes the files that have not changed since the look before. */
  claim(): Promise<Claimed[]>
  putAway(claimed: Claimed, where: 'archive' | 'reject'): Promise<void>
}

/** How uploads name what they have not finished; what begins with a dot is nobody's business. */
const UNFINISHED = /^\.|\.(?:tmp|part|partial|filepart|crdownload|uploading)$/i

export function openFolder(options: FolderOptions): Folder {
  const { inboxDirectory, clock, reader } = options
  // inside of the inbox, so that taking a file is a rename on one file system
  const processing = join(inboxDirectory, '.processing')
  let seen = new Map<string, string>()
  let taken = 0

  async function take(name: string): Promise<Claimed[]> {
    const stamp = clock
      .now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '')
    const claimed = `${stamp}-${reader}-${++taken}-${name}`
    const path = join(processing, claimed)
    return (await exists(rename(join(inboxDirectory, name), path))) ? [{ path, name: claimed }] : []
  }

  return {
    async leftovers(whose) {
      await mkdir(processing, { recursive: true })
      const names = (await readdir(processing)).sort()
      const wanted = whose === 'everybody' ? names : names.filter((name) => name.split('-')[1] === reader)
      return wanted.map((name) => ({ path: join(processing, name), name }))
    },
    async claim() {
      await mkdir(processing, { recursive: true })
      const looks = await lookAt(inboxDirectory)
      const settled = [...looks].filter(([name, look]) => seen.get(name) === look)
      seen = looks
      const claimed: Claimed[] = []
      for (const [name] of settled) claimed.push(...(await take(name)))
      return claimed
    },
    async putAway({ path, name }, where) {
      const directory = where === 'archive' ? options.archiveDirectory : options.rejectDirectory
      await mkdir(directory, { recursive: true })
      await exists(move(path, join(directory, name)))
    },
  }
}

/** Size and time of each file, which change while it is written. */
async function lookAt(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile() && !UNFINISHED.test(entry.name))
    .map((entry) => entry.name)
  const looks = new Map<string, string>()
  for (const name of names.sort()) {
    await exists(
      stat(join(directory, name), { bigint: true }).then(({ size, mtimeNs }) =>
        looks.set(name, `${size} ${mtimeNs}`),
      ),
    )
  }
  return looks
}

/** Another reader may have been quicker: then there is nothing left to do. */
async function exists(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    await copyFile(from, to)
    await unlink(from)
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code
