/** Recorded payloads of other systems, as they stand beside the connectors. */
import { readFileSync } from 'node:fs'

/** `sample('wms-depot/events')`. */
export function sample(name: string): unknown {
  const [system, file] = name.split('/')
  return JSON.parse(
    readFileSync(new URL(`../../src/systems/${system}/samples/${file}.json`, import.meta.url), 'utf8'),
  )
}
