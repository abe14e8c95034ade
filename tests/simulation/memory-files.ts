/** Folders of EDI partners in memory: whatever a program does with a file is an action, so it may die before any of them. */
import { basename, join } from 'node:path'
import type { Files } from '../../src/systems/edi/files.ts'
import type { Actor, Scheduler } from './scheduler.ts'

type File = { readonly content: string; readonly version: number }

export class MemoryFiles {
  readonly #scheduler: Scheduler
  readonly #files = new Map<string, File>()
  #version = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  put(path: string, content: string): void {
    this.#files.set(path, { content, version: ++this.#version })
  }

  /** Paths of the files below a folder, but for the signs of life of those who watch it. */
  below(folder: string): string[] {
    const isSign = (path: string): boolean => basename(path).startsWith('.')
    return [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`) && !isSign(path)).toSorted()
  }

  take(path: string): string {
    const { content } = this.#file(path)
    this.#files.delete(path)
    return content
  }

  /** The same folders, as a program sees them. */
  of(actor: Actor): Files {
    const files = this.#files
    const act = <T>(label: string, run: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const attempt = (): void => {
          try {
            resolve(run())
          } catch (error) {
            reject(error)
          }
        }
        this.#scheduler.offer({ actor, label: `files.${label}`, run: attempt })
      })
    const contentOf = (path: string): Buffer => Buffer.from(this.#file(path).content)
    return {
      looks: (folder) => act('looks', () => this.#looks(folder)),
      look: (path) => act('look', () => lookOf(files.get(path))),
      bytesOf: (path) => act('size', () => contentOf(path).length),
      async *read(path) {
        yield await act('read', () => contentOf(path))
      },
      move: (from, to) =>
        act('move', () => {
          if (!files.has(from)) return false
          this.put(to, this.take(from))
          return true
        }),
      remove: (path) => act('remove', () => void files.delete(path)),
      write: (path, content) => act('write', () => this.put(path, content)),
      leave: (folder, name, content) => act('leave', () => this.put(join(folder, name), content)),
    }
  }

  #looks(folder: string): Map<string, string> {
    const found = [...this.#files].flatMap(([path, file]): [string, string][] => {
      const name = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : ''
      return name === '' || name.includes('/') ? [] : [[name, lookOf(file)!]]
    })
    return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #file(path: string): File {
    const file = this.#files.get(path)
    if (!file) throw Object.assign(new Error(`ENOENT: no such file, ${path}`), { code: 'ENOENT' })
    return file
  }
}

const lookOf = (file: File | undefined): string | undefined =>
  file && `${file.content.length} ${file.version}`
