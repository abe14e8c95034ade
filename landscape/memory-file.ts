/** The landscape's memory on disk: one file, replaced as a whole, that belongs to one world. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { LandscapeMemory } from './landscape.ts'
import type { WorldSource } from './world/source.ts'

/** Raised whenever a system remembers in another shape. */
const VERSION = 2

export type Remembered = { readonly world: WorldSource; readonly systems: LandscapeMemory }

/** Undefined when nothing was ever remembered there. */
export async function readMemory(file: string): Promise<Remembered | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!bytes) return undefined
  const { version, ...remembered } = deserialize(bytes) as Remembered & { version: number }
  if (version !== VERSION)
    throw new Error(`${file} was written by another release; begin with a new data folder`)
  return remembered
}

/** A reader finds the former memory or the new one, whatever happens meanwhile. */
export async function writeMemory(file: string, remembered: Remembered): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const next = `${file}.next`
  const handle = await open(next, 'w')
  try {
    await handle.writeFile(serialize({ version: VERSION, ...remembered }))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(next, file)
}
