/** Where data is kept that is thrown away with its test: in memory where the machine has room there, else on its disk. */
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const MEMORY = '/dev/shm'
/** Several servers at once keep their tables and their logs there. */
const ROOM_BYTES = 6 * 2 ** 30

/** A server makes two thousand files, which takes a tenth of the time in memory. Whoever names a folder has it. */
export const fleetingPlace = (): string =>
  process.env['TMPDIR'] === undefined && hasRoom(MEMORY) ? MEMORY : tmpdir()

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > ROOM_BYTES
  } catch {
    return false
  }
}
