/** Started by root, a server runs as another account; data that this account cannot reach would go elsewhere, and stay. */
import { chmodSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fleetingPlace } from './fleeting-place.ts'

/** A new temporary folder in which a server can keep its data, whoever starts it. */
export function passableFolder(name: string, place = fleetingPlace()): string {
  const folder = mkdtempSync(join(place, `crossdock-${name}-`))
  chmodSync(folder, 0o711)
  return folder
}
