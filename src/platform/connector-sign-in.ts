/** One sign-in for all calls of a connector: fetched once, shared by all who need it, renewed when it is refused. */
import type { Clock } from './clock.ts'
import { NotSent } from './http-client.ts'

/** What a sign-in gave, and until when by the monotonic clock it is worth using. */
export type Grant = { readonly token: string; readonly untilMs?: number | undefined }

/** Without a session nothing was asked of the system, however the sign-in itself failed. */
export class SignInFailed extends NotSent {
  override readonly retryAt: Date | undefined

  constructor(system: string, cause: unknown, retryAt?: Date) {
    super(system, 'connect', cause)
    this.name = 'SignInFailed'
    this.retryAt = retryAt
  }
}

export interface SignedIn {
  /**
   * Makes a call with a token. When the answer says that the token is not accepted, signs in anew and makes it once
   * more; whoever says that has done nothing. A sign-in that fails is `SignInFailed`.
   */
  call<Answer>(
    make: (token: string) => Promise<Answer>,
    refusesToken: (answer: Answer) => boolean,
  ): Promise<Answer>
}

export function signedIn(clock: Clock, system: string, signIn: () => Promise<Grant>): SignedIn {
  let grant: Promise<Grant> | undefined

  function fetchGrant(): Promise<Grant> {
    const fetching = signIn().catch((error: unknown) => {
      if (grant === fetching) grant = undefined
      throw error instanceof SignInFailed ? error : new SignInFailed(system, error)
    })
    return fetching
  }

  async function token(): Promise<string> {
    const asked = (grant ??= fetchGrant())
    const { token, untilMs } = await asked
    if (untilMs === undefined || clock.monotonicMs() < untilMs) return token
    if (grant === asked) grant = undefined
    return (await (grant ??= fetchGrant())).token
  }

  /** Only the sign-in that gave this very token is forgotten: another caller may have renewed it meanwhile. */
  async function forget(refused: string): Promise<void> {
    const asked = grant
    const current = await asked?.catch(() => undefined)
    if (current?.token === refused && grant === asked) grant = undefined
  }

  return {
    async call(make, refusesToken) {
      const first = await token()
      const answer = await make(first)
      if (!refusesToken(answer)) return answer
      await forget(first)
      return make(await token())
    },
  }
}
