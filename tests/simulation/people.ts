/** People who do something at moments of their own, and take note of what was not done as it should be. */
import type { Called } from '#platform/http-server.ts'
import { drawInteger } from '#landscape/random.ts'
import { type Caller, type CallerParts, openCaller } from './caller.ts'

export type People = {
  /** How much of what they began is not done. */
  readonly open: () => number
  /** What must not have happened, and did. */
  readonly wrong: readonly string[]
}

export type PeopleParts = CallerParts & { readonly seed: string }

export abstract class Work<Parts extends PeopleParts> implements People {
  readonly wrong: string[] = []
  protected readonly parts: Parts
  protected readonly caller: Caller
  #open = 0

  constructor(parts: Parts) {
    this.parts = parts
    this.caller = openCaller(parts)
  }

  open = (): number => this.#open

  /** Begins after so long, and is open from now on until it is done. */
  protected later(label: string, ms: number, work: () => unknown): void {
    const { scheduler, outside: actor } = this.parts
    this.#open++
    const run = (): void => void Promise.resolve(work()).finally(() => this.#open--)
    scheduler.after(ms, { actor, label, run })
  }

  /** A wait that has a name of its own. */
  protected pause(name: string, key: string, range: [number, number]): Promise<void> {
    return this.caller.sleep(drawInteger(this.parts.seed, name, key, range))
  }

  protected fail(what: string, { status, body }: Called): void {
    this.wrong.push(`${what}: ${status} ${body}`)
  }
}
