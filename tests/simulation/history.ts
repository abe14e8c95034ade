/** What happened in a simulation, line by line, as one hash: the same for the same seed and commit. */
import { createHash } from 'node:crypto'

/** Hashing many short lines one by one costs more than the lines. */
const PORTION = 64 * 1024

export class History {
  readonly #hash = createHash('sha256')
  #lines = ''

  add(line: string): void {
    this.#lines += `${line}\n`
    if (this.#lines.length > PORTION) this.#digest()
  }

  end(): string {
    this.#digest()
    return this.#hash.digest('hex')
  }

  #digest(): void {
    this.#hash.update(this.#lines)
    this.#lines = ''
  }
}
