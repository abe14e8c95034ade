/** The published contract: what the running house serves, byte by byte. `npx vitest run tests/routes/openapi.test.ts -u` writes it anew. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from '#tests/support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
}, 60_000)
afterAll(() => house.end())

const committed = join(import.meta.dirname, '..', '..', 'docs', 'openapi.json')

test('docs/openapi.json is the contract that the house serves', async () => {
  const served: unknown = await (await fetch(`${house.url}/openapi.json`)).json()
  await expect(`${JSON.stringify(served, null, 2)}\n`).toMatchFileSnapshot(committed)
})

test('every operation carries an example and names its statuses', () => {
  const operations = Object.values(house.app.server.openapi.paths).flatMap((path) => Object.values(path))
  expect(operations.length).toBeGreaterThanOrEqual(11)
  for (const { operationId, responses, requestBody } of operations) {
    expect([operationId, Object.keys(responses).length > 1]).toEqual([operationId, true])
    const json = requestBody?.content['application/json']
    if (json) expect([operationId, json.example]).toEqual([operationId, expect.anything()])
  }
})

// Schemas are compiled at the first request: whether they can be is found out here, not by a caller.
test('each operation checks its query, its parameters and its body by its schemas', async () => {
  const answers: string[] = []
  for (const [path, operations] of Object.entries(house.app.server.openapi.paths)) {
    for (const [method, { requestBody }] of Object.entries(operations)) {
      const response = await fetch(`${house.url}${path.replaceAll(/\{\w+\}/g, '-')}?nonsense=1`, {
        method: method.toUpperCase(),
        headers: { 'content-type': 'application/json', 'idempotency-key': path, 'if-match': '"1"' },
        ...(requestBody ? { body: '{}' } : {}),
      })
      const { code } = (await response.json()) as { code: string }
      answers.push(`${method} ${path} ${response.status} ${code}`)
    }
  }
  expect(answers.filter((answer) => !answer.endsWith(' 422 http.invalid'))).toEqual([])
  expect(answers.length).toBeGreaterThanOrEqual(100)
})
