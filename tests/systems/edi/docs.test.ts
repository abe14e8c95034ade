/** docs/edi.md keeps up with the code. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FINDINGS } from '#systems/edi/findings.ts'
import { parsePartnerGuide, PartnerGuide } from '#systems/edi/partner-guide.ts'

const text = readFileSync(new URL('../../../docs/edi.md', import.meta.url), 'utf8')

test('every finding is documented under its severity, and nothing that does not exist', () => {
  const documented = [...text.matchAll(/^\| `((?:\w+)\.(?:\w+))` \|/gm)].map(([, code]) => code)
  expect(new Set(documented)).toEqual(new Set(Object.keys(FINDINGS)))
})

test('every entry of a partner guide is documented', () => {
  const entries = text.slice(text.indexOf('## Partner guides'), text.indexOf('## Checking a file'))
  for (const entry of Object.keys(PartnerGuide.shape)) expect(entries).toContain(`\`${entry}\``)
})

test('the example guide is valid', () => {
  const example = /```yaml\n([^]*?)```/.exec(text)?.[1] ?? ''
  expect(parsePartnerGuide(example, 'docs/edi.md').partner).toBe('harbor-foods')
})
