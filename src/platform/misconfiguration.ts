/** The program cannot start the way it is set up: shown to the person at the terminal, without a stack. */

export type Explanation = {
  readonly problem: string
  readonly reason?: string
  /** What to do now, in words or as a command. */
  readonly cure: string
}

/** Thrown only while starting. Its message says what is wrong, why, and the way out, a line each. */
export class Misconfiguration extends Error {
  readonly explanation: Explanation

  constructor(explanation: Explanation, cause?: unknown) {
    const lines = [explanation.problem, explanation.reason, explanation.cure]
    super(lines.filter((line) => line !== undefined).join('\n  '), cause === undefined ? {} : { cause })
    this.name = 'Misconfiguration'
    this.explanation = explanation
  }
}
