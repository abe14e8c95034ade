/** Loads the partner guides of a folder: each .yaml, .yml or .json file is one guide. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PartnerGuide } from './partner-guide.ts'
import { parsePartnerGuide } from './partner-guide.ts'

/** The guides of the demo's two partners. */
export const DEMO_PARTNERS = fileURLToPath(new URL('./partners/', import.meta.url))

export async function loadPartnerGuides(folder: string): Promise<PartnerGuide[]> {
  const names = (await readdir(folder)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => parsePartnerGuide(await readFile(join(folder, name), 'utf8'), name)),
  )
}
