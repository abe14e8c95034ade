/** Open calls as a person at a terminal sees and settles them, where no program is running. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { enrollDocuments } from '#platform/desk.ts'
import { deferEffects, effectKey, intendEffects, intentsOf } from '#platform/effects.ts'
import { park } from '#platform/parking.ts'
import { listParked } from '#platform/parking-views.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, type Ended, rowsOf } from './program.ts'

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
}, 60_000)
afterAll(() => folder.end())

const type = (...words: readonly string[]): Promise<Ended> =>
  crossdock('effects', ...words, '--json', '--data', folder.path)

let doc = 9_000
let key: string
/** A call in doubt that is parked; nobody works on its document. */
beforeEach(async () => {
  doc++
  const intent = { doc, step: 'postToErp', subject: '', generation: 1 }
  key = effectKey(intent)
  await folder.database.transaction(async (tx) => {
    enrollDocuments(tx, null, [
      {
        doc,
        process: 'order-to-cash',
        company: 'NWF',
        priority: 2,
        share: 0,
        sleepsUntil: new Date('2040-01-01'),
      },
    ])
    intendEffects(tx, [
      { ...intent, system: 'erp-foods', operation: 'erp.createSalesOrder', businessKey: `O-${doc}` },
    ])
    const at = { dueAt: null, absentAfter: null, detail: 'timeout' }
    deferEffects(tx, [{ ...intent, ...at, state: 'parked', attempts: 8 }])
    await park(tx, [
      { kind: 'effect', key, company: 'NWF', doc, cause: { code: 'work.effect_parked', message: 'timeout' } },
    ])
  })
})

const stateOf = async () => (await intentsOf(folder.database, [doc]))[0]
const parked = async () => (await listParked(folder.database, { doc })).length

test('are listed by state, system and document, and shown with what to search for', async () => {
  const found = await type('list', '--state', 'parked', '--system', 'erp-foods', '--document', `O-${doc}`)
  expect(rowsOf(found)).toMatchObject([{ key, state: 'parked', attempts: 8, underWay: false }])
  expect(rowsOf(await type('list', '--state', 'unknown', '--document', `O-${doc}`))).toEqual([])
  const shown = await crossdock('effects', 'show', key, '--data', folder.path)
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(`O-${doc}`) })
  const missing = await type('show', `${doc}/postToErp//2`)
  expect(missing.code).toBe(1)
  expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: 'effects.not_found' } })
})

describe('a call that a person has looked for', () => {
  const seen = ['--reason', 'seen in the order list'] as const

  test('is done by his word, which waits for a program; a dry run shows it and changes nothing', async () => {
    const words = ['resolve', key, '--outcome', 'confirmed', '--reference', 'SO-1', ...seen] as const
    expect(rowsOf(await type(...words, '--dry-run'))).toMatchObject([
      {
        dryRun: true,
        state: 'resolved',
        changes: expect.arrayContaining([expect.objectContaining({ at: '/state' })]),
      },
    ])
    expect([(await stateOf())!.state, await parked()]).toEqual(['parked', 1])
    expect(await type(...words)).toMatchObject({ code: 0 })
    expect(await stateOf()).toMatchObject({
      state: 'resolved',
      resolution: { actor: 'cli', verdict: { kind: 'confirmed', answer: { number: 'SO-1' } } },
    })
    expect(await parked()).toBe(0)
    expect((await type(...words)).code).toBe(0)
  })

  test('is not done by half a word', async () => {
    const ended = await type('resolve', key, '--outcome', 'confirmed', ...seen)
    expect(ended.code).toBe(1)
    expect(JSON.parse(ended.stderr)).toMatchObject({ error: { code: 'effects.answer_incomplete' } })
    expect((await stateOf())!.state).toBe('parked')
  })

  test('is sent again where nothing of it is there', async () => {
    expect(await type('resolve', key, '--outcome', 'absent', ...seen)).toMatchObject({ code: 0 })
    expect(await stateOf()).toMatchObject({ state: 'retry', attempts: 0, dueAt: null })
  })

  test('is tried now when that is asked for', async () => {
    expect(await type('retry', key, '--dry-run', ...seen)).toMatchObject({ code: 0 })
    expect((await stateOf())!.state).toBe('parked')
    expect(await type('retry', key, ...seen)).toMatchObject({ code: 0 })
    expect([(await stateOf())!.state, await parked()]).toEqual(['retry', 0])
  })
})
