/** Partner guides: data that is checked when it is read, and leads from a sender to one partner. */
import { expect, test } from 'vitest'
import { DEMO_PARTNERS, loadPartnerGuides } from '#systems/edi/partner-guide-files.ts'
import { indexGuides, parsePartnerGuide } from '#systems/edi/partner-guide.ts'
import { guide } from './x12-text.ts'

test("the demo's guides are valid and each sender leads to its own", async () => {
  const guides = indexGuides(loadPartnerGuides(DEMO_PARTNERS))
  expect(guides.all.map(({ partner }) => partner)).toEqual([
    'cascade-growers',
    'harbor-foods',
    'harbor-logistics',
    'keystone-industrial',
  ])
  expect(guides.bySender('01', '114208775')?.partner).toBe('harbor-foods')
  expect(guides.bySender('ZZ', '114208775')).toBeUndefined()
  expect(new Set(guides.all.map(({ company }) => company)).size).toBe(2)
})

test('a guide says what is wrong with it, all at once', () => {
  const text = 'partner: UPPER\nname: X\ncompany: NWF\ncustomer: C-1\ncurrency: dollars\ncolour: blue'
  expect(() => parsePartnerGuide(text, 'x.yaml')).toThrow(
    /partner:.*currency:.*theirs:.*ours:.*usage:.*colour/,
  )
})

test('what is no YAML is refused with its name', () => {
  expect(() => parsePartnerGuide('a: [1', 'broken.yaml')).toThrow(/broken\.yaml is no YAML/)
})

test('JSON guides are read too, and alias bombs are not', () => {
  expect(parsePartnerGuide(JSON.stringify(guide()), 'x.json')).toEqual(guide())
  expect(() => parsePartnerGuide('a: &a [x]\nb: *a', 'bomb.yaml')).toThrow(
    expect.objectContaining({
      code: 'edi.partner_guide_invalid',
      message: expect.stringContaining('bomb.yaml'),
    }),
  )
})

const REPEATED = expect.objectContaining({ code: 'edi.partner_guide_repeated' })

test('two guides for one sender, or with one name, are refused', () => {
  expect(() => indexGuides([guide(), guide({ partner: 'other' })])).toThrow(REPEATED)
  const elsewhere = { qualifier: 'ZZ', id: 'ELSE', groupId: 'ELSE' }
  expect(() => indexGuides([guide(), guide({ theirs: elsewhere })])).toThrow(REPEATED)
})
