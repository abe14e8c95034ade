/** Loads the partner guides of a folder, once, when the house starts: each .yaml, .yml or .json file is one guide. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PartnerGuide } from './partner-guide.ts'
import { parsePartnerGuide } from './partner-guide.ts'

/** The guides of the demo's two partners. */
export const DEMO_PARTNERS = fileURLToPath(new URL('./partners/', import.meta.url))

/** Without a folder there are no partners yet: whatever comes is quarantined. */
export function loadPartnerGuides(folder: string): PartnerGuide[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
  return names.map((name) => parsePartnerGuide(readFileSync(join(folder, name), 'utf8'), name))
}
