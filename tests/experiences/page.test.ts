/** The first page in a real Chromium: it lists, it is live, it works by keyboard and without scripts, and it can be read. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { WorldOrder } from '#landscape/world/world.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Story, StoryDocument } from '#processes/story.ts'
import { hasBrowser, openBrowser } from '#tests/support/browser.ts'
import { storyPage } from '../../src/experiences/control-tower/story-page.ts'
import { bearer, type FrontDoor, isPriceHeld, O2C, openFrontDoor, shipsAtOnce } from '../routes/front-door.ts'
import * as inPage from './in-page.js'

let door: FrontDoor
let browser: Browser
let first: string
let partner: { readonly order: WorldOrder; readonly headers: Readonly<Record<string, string>> }

beforeAll(async () => {
  door = await openFrontDoor()
  const order = door.next(shipsAtOnce)
  const scopes = ['experience.control-tower:read']
  partner = { order, headers: bearer(await door.key({ client: 'portal', scopes, partner: order.customer })) }
  first = (await door.submit(order)).body.id
  for (let count = 0; count < 8; count++) await door.submit(door.next(shipsAtOnce))
  await door.submit(door.next(isPriceHeld))
  if (hasBrowser) browser = await openBrowser()
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await door.end()
})

type Opened = { readonly page: Page; readonly complaints: readonly string[] }

/** A page that remembers what its console said: a breach of the content policy is an error there. */
async function open(path: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(door.url + path)
  return { page, complaints }
}

const rows = (page: Page) => page.locator('#orders tbody tr')
const live = (page: Page) => page.locator('#live[data-state=live]').waitFor()
const submit = async (): Promise<string> => (await door.submit(door.next(shipsAtOnce))).body.id

test('a story tells where parcels are, and since when a carrier gives no answer', async () => {
  const told = await fetch(`${door.url}${O2C}/orders/${first}/story`)
  const story = (await told.json()) as Story
  const documents = story.documents.map((document) =>
    document.kind === 'shipment' ? { ...document, ...PARCELS } : document,
  )
  const page = String(storyPage({ story: { ...story, documents }, customerName: '', invoiced: [] }))
  const words = page.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ')
  expect(words).toContain(
    'Parcel 1Z8 out for delivery (OD) at 2026-11-03 14:05:00 UTC, Peoria &lt;IL&gt;, signed for by M. Rossi',
  )
  expect(words).toContain(
    'Carrier asked about 1Z9 at 2026-11-05 09:00:00 UTC: no answer since 2026-11-04 07:30:00 UTC',
  )
})

const PARCELS: Pick<StoryDocument, 'parcels' | 'asked'> = {
  parcels: [
    {
      tracking: '1Z8',
      milestone: 'out_for_delivery',
      code: 'OD',
      at: '2026-11-03T14:05:00.000Z',
      place: 'Peoria <IL>',
      signedBy: 'M. Rossi',
    },
  ],
  asked: [
    {
      tracking: '1Z9',
      at: '2026-11-05T09:00:00.000Z',
      answer: 'unanswered',
      unansweredSince: '2026-11-04T07:30:00.000Z',
    },
  ],
}

describe.runIf(hasBrowser)('in Chromium', () => {
  test('lists orders newest first with the seven figures, and without one complaint of the browser', async () => {
    const { page, complaints } = await open('/')
    await live(page)
    expect(await rows(page).count()).toBeGreaterThanOrEqual(10)
    const ids = await rows(page).evaluateAll(inPage.idsOf)
    expect(ids).toEqual(ids.toSorted((a, b) => Number(b.slice(2)) - Number(a.slice(2))))
    expect(await page.locator('.tile').count()).toBe(7)
    expect(await page.locator('.tile dd').first().innerText()).not.toBe('0')
    await page.goto(`${door.url}/orders/${first}`)
    await live(page)
    expect(complaints).toEqual([])
  })

  test('a new order appears by itself at the top', async () => {
    const { page, complaints } = await open('/')
    await live(page)
    const id = await submit()
    await page.locator(`#${id}.fresh`).waitFor()
    expect(await rows(page).first().getAttribute('id')).toBe(id)
    expect(complaints).toEqual([])
  })

  test('rows do not move under somebody who has selected one; new ones wait behind a button', async () => {
    const { page } = await open('/')
    await live(page)
    await page.keyboard.press('j')
    const top = await rows(page).first().getAttribute('id')
    const count = await rows(page).count()
    const id = await submit()
    await page.locator('#pill', { hasText: '1 new order' }).waitFor()
    expect(await rows(page).first().getAttribute('id')).toBe(top)
    await page.locator('#pill').click()
    await page.locator(`#${id}`).waitFor()
    expect(await rows(page).count()).toBe(count + 1)
    expect(await page.locator('#pill').isVisible()).toBe(false)
  })

  test('an order that goes on changes in place, on the list and in its story', async () => {
    const { page: list } = await open('/?state=held')
    const held = (await rows(list).first().getAttribute('id'))!
    const { page: story } = await open(`/orders/${held}`)
    await Promise.all([live(list), live(story)])
    const told = await story.locator('.timeline li').count()
    const hold = /H-\d+/.exec(await story.locator('.trouble').innerText())![0]
    await door.send('POST', `${O2C}/orders/${held}/holds/${hold}:release`, {
      body: { reason: 'a test wants to see it go on' },
    })
    await story.locator('.timeline li.fresh', { hasText: 'released' }).first().waitFor()
    expect(await story.locator('.timeline li').count()).toBeGreaterThan(told)
    await list.locator(`#${held} .badge`, { hasText: 'On hold' }).waitFor({ state: 'detached' })
  })

  test("a story names each document under our number and the others'", async () => {
    const { page } = await open(`/orders/${first}`)
    await page.locator('.documents', { hasText: 'Invoice I-' }).waitFor()
    const documents = await page.locator('.documents').innerText()
    for (const word of [
      'Purchase order',
      'ERP order',
      'Fulfillment F-',
      'WMS order',
      'Shipment S-',
      'Tracking',
      'Invoice I-',
    ]) {
      expect(documents).toContain(word)
    }
    expect(await page.locator('.lines').innerText()).toContain('Invoiced')
    expect(await page.locator('.timeline li').count()).toBeGreaterThan(5)
  })

  test('j, k, Enter, / and Esc lead through the list without a mouse', async () => {
    const { page } = await open('/')
    await live(page)
    const focused = () => page.evaluate(inPage.focusedRow)
    const ids = await rows(page).evaluateAll(inPage.idsOf)
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await focused()).toBe(ids[1])
    await page.keyboard.press('k')
    expect(await focused()).toBe(ids[0])
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/orders/${ids[0]!}`)
    await page.keyboard.press('Escape')
    await page.waitForURL(`${door.url}/`)
    await page.keyboard.press('/')
    await page.keyboard.type(first)
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/orders/${first}`)
  })

  test('a single key does nothing once shortcuts are switched off', async () => {
    const { page } = await open('/')
    await live(page)
    await page.keyboard.press('?')
    await page.locator('#keys-on').uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    expect(await page.evaluate(inPage.focusedRow)).toBe('')
  })

  test.each(['light', 'dark'] as const)(
    'every text of the %s page has a contrast of 4.5 to 1 at least',
    async (colorScheme) => {
      for (const path of ['/', `/orders/${first}`, '/?state=held', '/find?number=nobody']) {
        const { page } = await open(path, { colorScheme })
        expect(await page.evaluate(inPage.textsBelowContrast, 4.5)).toEqual([])
        expect(await page.evaluate(inPage.textsBelowContrast, 21)).not.toEqual([])
        await page.context().close()
      }
    },
  )

  test('at 320 pixels nothing scrolls sideways, and each target is 24 pixels high at least', async () => {
    for (const path of ['/', `/orders/${first}`]) {
      const { page } = await open(path, { viewport: { width: 320, height: 700 } })
      expect(await page.evaluate(inPage.width)).toBeLessThanOrEqual(320)
      expect(await page.evaluate(inPage.smallTargets)).toEqual([])
      await page.context().close()
    }
  })

  test('without scripts the list, its pages and the search work', async () => {
    const { page } = await open('/', { javaScriptEnabled: false })
    expect(await rows(page).count()).toBeGreaterThanOrEqual(10)
    expect(await page.locator('noscript').innerText()).toContain('does not update by itself')
    await page.locator('#search').fill(first)
    await page.locator('.search button').click()
    await page.waitForURL(`**/orders/${first}`)
  })

  test('a broken line is told, and made good when it is back', async () => {
    const { page } = await open('/')
    await live(page)
    await page.context().setOffline(true)
    await page.evaluate(inPage.returnToTab)
    await page.locator('#live[data-state=paused]').waitFor()
    await page.context().setOffline(false)
    const id = await submit()
    await page.evaluate(inPage.returnToTab)
    await page.locator(`#${id}`).waitFor()
    expect(await page.locator('#live').innerText()).toBe('Live')
  })
})

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(door.url + path, { redirect: 'manual', headers })

test('the search leads from any number to its order, and says what it takes when nobody knows the number', async () => {
  const found = await get(`/find?number=%20${first}%20`)
  expect([found.status, found.headers.get('location')]).toEqual([303, `/orders/${first}`])
  const missing = await get('/find?number=%3Cscript%3E')
  expect(missing.status).toBe(404)
  expect(await missing.text()).toContain('No order is known as &lt;script&gt;')
  expect((await get('/orders/O-999999999')).status).toBe(404)
})

test('an unchanged style sheet is not sent twice', async () => {
  const sheet = await get('/control-tower/frame.css')
  expect(
    (await get('/control-tower/frame.css', { 'if-none-match': sheet.headers.get('etag')! })).status,
  ).toBe(304)
})

test('a partner sees its own orders only, and no figures of the house', async () => {
  const foreign = await submit()
  const list = await (await get('/', partner.headers)).text()
  expect(list).toContain(first)
  expect(list).not.toContain(foreign)
  expect(list).not.toContain('last 24 hours')
  expect((await get(`/orders/${foreign}`, partner.headers)).status).toBe(404)
  expect((await get(`/find?number=${foreign}`, partner.headers)).status).toBe(404)
})

describe('the stream', () => {
  /** Its events until `wanted` says that one is the last. */
  async function listen(
    wanted: (frame: string) => boolean,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string[]> {
    const gone = new AbortController()
    const response = await fetch(`${door.url}/experience/control-tower/v1/stream`, {
      headers,
      signal: gone.signal,
    })
    const frames: string[] = []
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const complete = text.split('\n\n')
      text = complete.pop()!
      frames.push(...complete)
      if (complete.some(wanted)) break
    }
    gone.abort()
    return frames
  }

  test('resumes exactly behind the event that the reader has seen', async () => {
    const [ready] = (await listen((frame) => frame.includes('event: ready'))).filter((frame) =>
      frame.includes('id: '),
    )
    const id = await submit()
    const frames = await listen((frame) => frame.includes(id), {
      'last-event-id': /id: (\S+)/.exec(ready!)![1]!,
    })
    expect(frames.at(-1)).toContain('event: change')
  })

  test('tells a partner of its own orders only', async () => {
    const [ready] = (await listen((frame) => frame.includes('event: ready'))).filter((frame) =>
      frame.includes('id: '),
    )
    const foreign = await submit()
    const own = (await door.submit({ ...partner.order, poNumber: 'PO-AGAIN' })).body.id
    const headers = { ...partner.headers, 'last-event-id': /id: (\S+)/.exec(ready!)![1]! }
    const frames = await listen((frame) => frame.includes(own), headers)
    expect(frames.join()).not.toContain(foreign)
  })
})
