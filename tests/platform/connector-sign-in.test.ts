/** One sign-in for all calls: shared, renewed when it ends or is refused, and never an excuse for doubt. */
import { expect, test } from 'vitest'
import { type Grant, signedIn, SignInFailed } from '#platform/connector-sign-in.ts'
import { NotSent } from '#platform/http-client.ts'
import { fakeClock } from '#tests/support/clock.ts'

function office(lifeMs?: number) {
  const clock = fakeClock()
  let given = 0
  let valid = ''
  let closed = false
  const signIn = (): Promise<Grant> => {
    if (closed) return Promise.reject(new Error('office closed'))
    valid = `token-${++given}`
    return Promise.resolve({
      token: valid,
      untilMs: lifeMs === undefined ? undefined : clock.monotonicMs() + lifeMs,
    })
  }
  const session = signedIn(clock, 'erp', signIn)
  const call = () =>
    session.call(
      (token) => Promise.resolve({ token, accepted: token === valid }),
      (answer) => !answer.accepted,
    )
  return {
    clock,
    call,
    given: () => given,
    revoke: () => void (valid = 'none'),
    close: () => void (closed = true),
    open: () => void (closed = false),
  }
}

test('callers at the same time share one sign-in', async () => {
  const { call, given } = office()
  const answers = await Promise.all([call(), call(), call()])
  expect(answers.map((answer) => answer.token)).toEqual(['token-1', 'token-1', 'token-1'])
  expect(given()).toBe(1)
})

test('a token that is refused is renewed once for all who were refused', async () => {
  const { call, given, revoke } = office()
  await call()
  revoke()
  const answers = await Promise.all([call(), call(), call()])
  expect(answers.every((answer) => answer.accepted)).toBe(true)
  expect(given()).toBe(2)
})

test('a token is used to its end and not longer', async () => {
  const { call, given, clock } = office(1_000)
  await call()
  await clock.advance(999)
  await call()
  expect(given()).toBe(1)
  await clock.advance(1)
  await Promise.all([call(), call()])
  expect(given()).toBe(2)
})

test('a refusal after a renewal is the answer, not a loop', async () => {
  const { call, given } = office()
  const stubborn = signedIn(fakeClock(), 'erp', () => Promise.resolve({ token: 'bad' }))
  let calls = 0
  const answer = await stubborn.call(
    () => Promise.resolve(++calls),
    () => true,
  )
  expect(answer).toBe(2)
  await call()
  expect(given()).toBe(1)
})

test('a failed sign-in sent nothing, and the next caller tries anew', async () => {
  const { call, close, open } = office()
  close()
  const failures = await Promise.allSettled([call(), call()])
  for (const failure of failures) {
    expect(failure).toMatchObject({ status: 'rejected', reason: expect.any(SignInFailed) })
    expect((failure as PromiseRejectedResult).reason).toBeInstanceOf(NotSent)
  }
  open()
  expect((await call()).accepted).toBe(true)
})

test('a sign-in that says when to come back is heard', async () => {
  const at = new Date('2026-11-02T08:00:30Z')
  const session = signedIn(fakeClock(), 'erp', () => Promise.reject(new SignInFailed('erp', undefined, at)))
  await expect(
    session.call(
      () => Promise.resolve(1),
      () => false,
    ),
  ).rejects.toMatchObject({ retryAt: at })
})
