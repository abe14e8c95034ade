/** The note that a running program leaves in its data folder, so that commands find it. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConfigSources } from './config.ts'
import type { WorldSource } from './demo-landscape.ts'

export type Running = {
  readonly pid: number
  readonly url: string
  /** The systems it talks to, by their names. */
  readonly systems: Readonly<Record<string, string>>
  /** Where it watches for interchanges; undefined when it does not. */
  readonly ediInbox?: string
  /** Where the guides of its partners are. */
  readonly ediPartners?: string
  /** The simulated world it trades in. */
  readonly world?: WorldSource
  /** Beneath its configuration: the companies and systems of the demo. */
  readonly defaults?: ConfigSources['defaults']
}

const fileIn = (folder: string): string => join(folder, 'running.json')

export async function noteRunning(folder: string, running: Running): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(`${fileIn(folder)}.next`, `${JSON.stringify(running)}\n`, { mode: 0o600 })
  await rename(`${fileIn(folder)}.next`, fileIn(folder))
}

export const forgetRunning = (folder: string): Promise<void> => rm(fileIn(folder), { force: true })

/** The program that runs on this data folder; one that was killed left its note, but answers no more. */
export async function findRunning(folder: string): Promise<Running | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const running = JSON.parse(text) as Running
  return isAlive(running.pid) ? running : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
