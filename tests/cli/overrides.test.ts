/** A step that is stuck as the person at a terminal decides on it, beside a running program. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { demoConfig } from '../../src/demo.ts'
import { type FrontDoor, isHeld, O2C, openFrontDoor, shipsAtOnce } from '#tests/routes/front-door.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

const WITHIN = { timeout: 15_000 }

let folder: FolderDatabase
let house: FrontDoor
let settings: string
beforeAll(async () => {
  folder = await folderDatabase()
  const database = { url: folder.url, end: async (): Promise<void> => undefined }
  const retry = { maxAttempts: 2, baseMs: 5, maxMs: 10, budget: { perSecond: 100 } }
  house = await openFrontDoor({ database, policy: { retry, breaker: { minCalls: 1_000 } } })
  // JSON is YAML
  settings = join(folder.path, 'crossdock.yaml')
  writeFileSync(settings, JSON.stringify(demoConfig(house.landscape)))
}, 60_000)
afterAll(async () => {
  await house.end()
  await folder.end()
})

const type = (order: string, ...words: readonly string[]) =>
  crossdock(
    'orders',
    'override',
    order,
    '--reason',
    'seen at the ERP',
    '--data',
    folder.path,
    '--config',
    settings,
    ...words,
  )

describe('a decision at a terminal', () => {
  test('is only told when it is tried out, and is done by the running program when it is not', async () => {
    const { legacyErp, cloudErp } = house.landscape
    for (const erp of [legacyErp, cloudErp]) erp.faults.set({ kind: 'outage', mode: 'unavailable' })
    const { body } = await house.submit(house.next(shipsAtOnce))
    const calls = async () => {
      const { body: story } = await house.send('GET', `${O2C}/orders/${body.id}/story`)
      return (story['openCalls'] as { state: string }[]).map(({ state }) => state)
    }
    await expect.poll(calls, WITHIN).toEqual(['parked'])
    for (const erp of [legacyErp, cloudErp]) erp.faults.clear()
    const tried = await type(body.id, '--step', 'postToErp', '--restart', '--dry-run')
    expect([tried.code, tried.stdout]).toEqual([
      0,
      expect.stringContaining('would be tried again; it was parked'),
    ])
    expect(await calls()).toEqual(['parked'])
    const done = await type(body.id, '--step', 'postToErp', '--restart', '--json')
    expect([done.code, rowsOf(done)]).toMatchObject([0, [{ act: 'restart', was: 'parked', dryRun: false }]])
    await expect.poll(calls, WITHIN).not.toContain('parked')
  })

  test('completes a step with what is asked for by name', async () => {
    const { body } = await house.submit(house.next(isHeld))
    const lacking = await type(
      body.id,
      '--step',
      'postToErp',
      '--complete-with',
      'CLI-1',
      '--fact',
      'tax=1.00',
    )
    expect([lacking.code === 0, lacking.stderr]).toEqual([
      false,
      expect.stringContaining('"tax" is not asked for'),
    ])
    const done = await type(body.id, '--step', 'postToErp', '--complete-with', 'CLI-1', '--json')
    expect(rowsOf(done)).toMatchObject([{ was: 'held', entered: { number: 'CLI-1' } }])
    const { body: order } = await house.send('GET', `${O2C}/orders/${body.id}`)
    expect(order).toMatchObject({ erpNumber: 'CLI-1' })
  })

  test.each([
    ['not our number of an order', 'PO-1', ['--step', 'postToErp', '--skip']],
    ['One decision is needed', 'O-1', ['--step', 'postToErp']],
    ['One decision is needed', 'O-1', ['--step', 'postToErp', '--skip', '--restart']],
    ['Which step is meant', 'O-1', ['--skip']],
    ['is no fact', 'O-1', ['--step', 'tax', '--complete-with', 'X', '--fact', 'tax']],
  ])('that says %s is wrong use', async (words, order, typed) => {
    const { code, stderr } = await type(order, ...typed)
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)])
  })
})
