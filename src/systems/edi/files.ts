/** What the connector does with files: on disk, or in the memory of whoever lets it run without one. */
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface Files {
  /** Names of the files of a folder, each with what changes while it is written; of a folder that is not there none. */
  looks(folder: string): Promise<ReadonlyMap<string, string>>
  /** Of one file; undefined where there is none. */
  look(path: string): Promise<string | undefined>
  bytesOf(path: string): Promise<number>
  read(path: string): AsyncIterable<Buffer>
  /** False where the file is gone, since another was quicker. */
  move(from: string, to: string): Promise<boolean>
  remove(path: string): Promise<void>
  write(path: string, content: string): Promise<void>
  /** Appears under its name whole or not at all, and survives a crash of the machine; `writer` names who writes. */
  leave(folder: string, name: string, content: string, writer: string): Promise<void>
}

export const diskFiles: Files = {
  async looks(folder) {
    const entries = await ifThere(readdir(folder, { withFileTypes: true }))
    const names = (entries ?? []).filter((entry) => entry.isFile()).map(({ name }) => name)
    const looks = new Map<string, string>()
    for (const name of names.sort()) {
      const look = await lookOf(join(folder, name))
      if (look !== undefined) looks.set(name, look)
    }
    return looks
  },
  look: lookOf,
  bytesOf: async (path) => (await stat(path)).size,
  read: (path) => createReadStream(path),
  async move(from, to) {
    await mkdir(dirname(to), { recursive: true })
    return (await ifThere(moveAcross(from, to).then(() => true))) ?? false
  },
  async remove(path) {
    await ifThere(unlink(path))
  },
  async write(path, content) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  },
  async leave(folder, name, content, writer) {
    await mkdir(folder, { recursive: true })
    const unfinished = join(folder, `.${name}.${writer}.tmp`)
    const file = await open(unfinished, 'w')
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, join(folder, name))
    const entries = await open(folder, 'r')
    try {
      await entries.sync()
    } finally {
      await entries.close()
    }
  },
}

/** Size and time, which change while it is written. */
async function lookOf(path: string): Promise<string | undefined> {
  const found = await ifThere(stat(path, { bigint: true }))
  return found && `${found.size} ${found.mtimeNs}`
}

async function moveAcross(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    await copyFile(from, to)
    await unlink(from)
  }
}

/** Undefined where the file or the folder is not there. */
async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code
