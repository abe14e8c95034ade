/** Before a disk is full nothing new is taken in, and the caller is told when to come back. */
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { diskRoom, type DiskSpace, diskSpaceOf } from '#platform/disk-room.ts'
import type { Outage } from '#platform/faults.ts'
import { fakeClock } from '#tests/support/clock.ts'

const GIB = 1024 ** 3

function world(used: Record<string, number>, freeBytes = 10 * GIB - 1) {
  const clock = fakeClock()
  let looks = 0
  const spaceOf = async (folder: string): Promise<DiskSpace> => {
    looks++
    const share = used[folder]
    if (share === undefined) throw new Error('no such folder')
    return { used: share, freeBytes }
  }
  const room = diskRoom({ clock, folders: ['/data', '/edi'], spaceOf })
  const refusal = (): Outage | undefined => {
    try {
      room.assert()
      return undefined
    } catch (error) {
      return error as Outage
    }
  }
  return { clock, refusal, looks: () => looks }
}

test.each([
  ['/data', 0.9],
  ['/edi', 0.999],
])(
  'nothing is taken in while the disk of %s is used to %d, and again when it has room',
  async (folder, full) => {
    const used: Record<string, number> = { '/data': 0.5, '/edi': 0.5, [folder]: full }
    const { clock, refusal } = world(used)
    expect(refusal()).toBeUndefined()
    await clock.settle()
    const retryAt = new Date(clock.now().getTime() + 30_000)
    expect(refusal()).toMatchObject({ name: 'Outage', retryAt })
    expect(refusal()!.message).toContain(folder)
    used[folder] = full - 0.11
    await clock.advance(5_000)
    refusal()
    await clock.settle()
    expect(refusal()).toBeUndefined()
  },
)

test.each([
  ['a little below the bound', 0.899, 0],
  ['of a disk so large that a tenth is plenty', 0.99, 10 * GIB],
])('%s there is room', async (_, used, freeBytes) => {
  const { clock, refusal } = world({ '/data': used, '/edi': 0 }, freeBytes)
  refusal()
  await clock.settle()
  expect(refusal()).toBeUndefined()
})

test('disks are looked at once in five seconds however many ask, and an old figure refuses nobody', async () => {
  const { clock, refusal, looks } = world({ '/data': 1, '/edi': 0 })
  for (let nth = 0; nth < 100; nth++) refusal()
  await clock.settle()
  expect([refusal()?.name, looks()]).toEqual(['Outage', 2])
  await clock.advance(60_000)
  expect(refusal()).toBeUndefined()
})

test('a folder that cannot be asked keeps nobody out', async () => {
  const { clock, refusal } = world({ '/edi': 0.1 })
  refusal()
  await clock.settle()
  expect(refusal()).toBeUndefined()
})

test('a disk of this machine is used to a share of it, and a folder that is not there cannot be asked', async () => {
  const { used, freeBytes } = await diskSpaceOf(tmpdir())
  expect([used > 0 && used <= 1, freeBytes >= 0]).toEqual([true, true])
  await expect(diskSpaceOf('/no/such/folder')).rejects.toMatchObject({ code: 'ENOENT' })
})
