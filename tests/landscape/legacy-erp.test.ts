/** The legacy ERP: status in the body, no idempotency, look-ups by our reference, books that balance. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import type { FakeClock } from '#tests/support/clock.ts'
import { bench, call } from './bench.ts'

let landscape: Landscape
let clock: FakeClock
let sid: string
afterEach(() => landscape.stop())

async function start(options: Parameters<typeof bench>[0] = {}): Promise<void> {
  ;({ landscape, clock } = await bench(options))
  sid = (await logon('secret')).SID
}

const logon = async (password: string) =>
  (
    await call(`${landscape.legacyErp.url}/logon`, {
      body: { MANDT: '100', BNAME: 'CROSSDOCK', BCODE: password },
    })
  ).json()
const ask = async (path: string, body: unknown) =>
  (await call(`${landscape.legacyErp.url}${path}`, { headers: { 'x-sid': sid }, body })).json()

const food = (wanted: { catchWeight: boolean }) => {
  const item = landscape.world.items.find(
    (one) =>
      one.company === 'NWF' &&
      !one.discontinued &&
      one.catchWeight === wanted.catchWeight &&
      one.salesUnit === 'CA',
  )
  if (!item) throw new Error('the world has no such item')
  return item
}
const customer = () => {
  const found = landscape.world.customers.find((one) => one.company === 'NWF' && !one.resale)
  if (!found) throw new Error('the world has no such customer')
  return found
}
const order = (reference: string, line: Record<string, unknown> = {}) => ({
  BUKRS: 'NWF',
  KUNNR: customer().number,
  BSTNK: reference,
  IHREZ: 'PO-1',
  WAERS: 'USD',
  ADRNR: '01',
  POS: [
    {
      POSNR: '000010',
      MATNR: food({ catchWeight: false }).number,
      KWMENG: '12.000',
      VRKME: 'KAR',
      KBETR: '28.40',
      KMEIN: 'KAR',
      ...line,
    },
  ],
})
const invoice = (reference: string, vbeln: string, changes: Record<string, unknown> = {}) => ({
  ...order(''),
  XBLNR: reference,
  VBELN: vbeln,
  FKDAT: '20261103',
  STEUERBELEG: 'TX-1',
  POS: [
    {
      POSNR: '000010',
      AUPOS: '000010',
      MATNR: food({ catchWeight: false }).number,
      FKIMG: '12.000',
      VRKME: 'KAR',
      KBETR: '28.40',
      KMEIN: 'KAR',
      NETWR: '340.80',
    },
  ],
  STEUER: [{ TXJCD: 'US-MA', KAWRT: '340.80', KBETR: '6.2500', MWSBK: '21.30' }],
  ...changes,
})

describe('the legacy ERP', () => {
  it('answers 200 also to a refused logon and to a missing session', async () => {
    await start()
    expect(await logon('wrong')).toMatchObject({ RC: '010' })
    const answer = await call(`${landscape.legacyErp.url}/rfc/FI_CREDIT`, { body: { KUNNR: [] } })
    expect([answer.status, answer.json().RC]).toEqual([200, '011'])
  })

  it('ends a session after half an hour without a call', async () => {
    await start()
    await clock.advance(1_700_000)
    expect((await ask('/rfc/FI_CREDIT', { KUNNR: [] })).RC).toBe('000')
    await clock.advance(1_801_000)
    expect((await ask('/rfc/FI_CREDIT', { KUNNR: [] })).RC).toBe('011')
  })

  it('lists customers page by page, each once', async () => {
    await start()
    const numbers: string[] = []
    for (let cursor = ''; ;) {
      const page = await ask('/rfc/MD_CUSTOMERS', { MAX: 7, AB: cursor })
      numbers.push(...page.ROWS.map((row: { KUNNR: string }) => row.KUNNR))
      cursor = page.AB
      if (cursor === '') break
    }
    expect(numbers).toHaveLength(30)
    expect(new Set(numbers).size).toBe(30)
    expect(numbers[0]).toBe('0000100100')
  })

  it('lists only what changed since', async () => {
    await start()
    await clock.advance(60_000)
    landscape.legacyErp.changeCustomer(customer().number, { creditBlocked: true })
    const { ROWS } = await ask('/rfc/MD_CUSTOMERS', { AEAB: '20261102080000' })
    expect(ROWS).toMatchObject([{ KUNNR: customer().number.padStart(10, '0'), AUFSD: '01' }])
  })

  it('tells of a purchase order what changed since: its date, what came of it, that nothing more comes', async () => {
    await start()
    await clock.advance(60_000)
    const [late, partial, cancelled] = landscape.world.receipts.filter(({ company }) => company === 'NWF')
    landscape.legacyErp.changePurchase(late!.id, { expectedOn: '2026-12-24' })
    landscape.legacyErp.changePurchase(partial!.id, { received: 7 })
    landscape.legacyErp.changePurchase(cancelled!.id, { cancelled: cancelled!.quantity })
    const { ROWS } = await ask('/rfc/MM_RECEIPTS', { AEAB: '20261102080000' })
    expect(ROWS).toMatchObject([
      { EBELN: late!.id, EBELP: '00010', EINDT: '20261224', WEMNG: '0', LOEKZ: '' },
      { EBELN: partial!.id, WEMNG: '7', LOEKZ: '' },
      { EBELN: cancelled!.id, ABMNG: String(cancelled!.quantity), LOEKZ: 'L' },
    ])
    expect((await ask('/rfc/MM_RECEIPTS', { MAX: 1 })).ROWS).toHaveLength(1)
  })

  it('offers contract and list prices, units and stock in its own words', async () => {
    await start()
    const { ROWS: prices } = await ask('/rfc/MD_CONDITIONS', { MAX: 1000 })
    expect(new Set(prices.map((row: { KSCHL: string }) => row.KSCHL))).toEqual(new Set(['PR00', 'A305']))
    const { ROWS: items } = await ask('/rfc/MD_MATERIALS', {})
    expect(items[0]).toMatchObject({
      MATNR: '000000000000010000',
      UNITS: expect.arrayContaining([expect.objectContaining({ UMREN: '1' })]),
    })
    const { ROWS: stock } = await ask('/rfc/MM_STOCK', {})
    expect(stock[0]).toMatchObject({
      WERKS: expect.stringMatching(/^DC[12]$/),
      LABST: expect.stringMatching(/^\d+$/),
    })
  })

  it('makes two orders of the same order sent twice, and a look-up finds both', async () => {
    await start()
    const first = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    const second = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    expect([first.RC, first.VBELN, first.NETWR]).toEqual(['000', '0000451234', '340.80'])
    const { ROWS } = await ask('/rfc/SD_ORDER_READ', { BSTNK: ['O-1', 'O-2'] })
    expect(ROWS.map((row: { VBELN: string }) => row.VBELN)).toEqual([first.VBELN, second.VBELN])
    expect(landscape.legacyErp.received.times('createOrder', 'O-1')).toBe(2)
  })

  it.each([
    ['201', { KUNNR: '999999' }, {}],
    ['202', {}, { MATNR: '99999' }],
    ['203', {}, { VRKME: 'DZ' }],
    ['205', {}, { KWMENG: '0.000' }],
    ['205', {}, { KBETR: 'free' }],
    ['225', { WAERS: 'EUR' }, {}],
  ])('refuses an order with code %s', async (code, head, line) => {
    await start()
    expect(await ask('/rfc/SD_ORDER_CREATE', { ...order('O-1', line), ...head })).toMatchObject({ RC: code })
    expect(landscape.legacyErp.truth().orders).toEqual([])
  })

  it('refuses a discontinued material', async () => {
    await start()
    const gone = landscape.world.items.find((item) => item.company === 'NWF' && item.discontinued)
    const line = { MATNR: gone?.number, VRKME: 'ST', KMEIN: 'ST' }
    expect((await ask('/rfc/SD_ORDER_CREATE', order('O-1', line))).RC).toBe('204')
  })

  it('answers one status record per IDoc by reference, the bad one beside the good', async () => {
    await start()
    const IDOCS = [
      order('O-1'),
      order('O-2', { MATNR: '99999' }),
      ...Array.from({ length: 20 }, (_, n) => order(`O-${n + 3}`)),
    ]
    const { STATUS } = await ask('/idoc/ORDERS', { IDOCS })
    const by = new Map(STATUS.map((row: { BSTNK: string; STATUS: string }) => [row.BSTNK, row.STATUS]))
    expect(by.size).toBe(22)
    expect([by.get('O-1'), by.get('O-2'), by.get('O-22')]).toEqual(['53', '51', '53'])
    expect(STATUS[0].BSTNK).not.toBe('O-1')
  })

  it('takes at most 50 IDocs, and marks a busy one to be sent again', async () => {
    await start()
    const many = Array.from({ length: 51 }, (_, n) => order(`O-${n}`))
    expect((await ask('/idoc/ORDERS', { IDOCS: many })).RC).toBe('102')
    landscape.legacyErp.faults.set({ kind: 'item-failure', operation: 'createOrders', times: 1 })
    const { STATUS } = await ask('/idoc/ORDERS', { IDOCS: [order('O-1'), order('O-2')] })
    expect(STATUS.map((row: { STATUS: string }) => row.STATUS).toSorted()).toEqual(['53', '64'])
    expect(landscape.legacyErp.truth().orders).toHaveLength(1)
  })

  it('posts an invoice with the tax lines it is given, to the cent', async () => {
    await start()
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    const posted = await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN))
    expect(posted).toMatchObject({
      RC: '000',
      BELNR: '0090012345',
      NETWR: '340.80',
      MWSBK: '21.30',
      BRTWR: '362.10',
    })
    const { ROWS } = await ask('/rfc/FI_INVOICE_READ', { XBLNR: ['I-1'] })
    expect(ROWS).toMatchObject([{ XBLNR: 'I-1', BELNR: '0090012345', OFFEN: '362.10' }])
    expect((await ask('/rfc/SD_ORDER_READ', { BSTNK: ['O-1'] })).ROWS[0].STATUS).toBe('C')
  })

  it('taxes by its own table when no tax lines come', async () => {
    await start()
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    expect(await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN, { STEUER: undefined }))).toMatchObject({
      RC: '000',
      MWSBK: '0.00',
    })
  })

  it('prices a catch-weight line by its weight', async () => {
    await start()
    const item = food({ catchWeight: true })
    const { VBELN } = await ask(
      '/rfc/SD_ORDER_CREATE',
      order('O-1', { MATNR: item.number, KMEIN: 'KG', KBETR: '10.01' }),
    )
    const line = {
      POSNR: '1',
      AUPOS: '000010',
      MATNR: item.number,
      FKIMG: '1.000',
      VRKME: 'KAR',
      CWMENGE: '24.850',
      KBETR: '10.01',
      KMEIN: 'KG',
    }
    expect(
      await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN, { POS: [line], STEUER: [] })),
    ).toMatchObject({ NETWR: '248.75' })
  })

  it.each([
    ['211', { VBELN: '0000000001' }],
    ['222', { STEUER: [{ TXJCD: 'X', KAWRT: '340.80', KBETR: '6.2500', MWSBK: '22.00' }] }],
    ['225', { WAERS: 'EUR' }],
  ])('refuses an invoice with code %s and posts nothing', async (code, changes) => {
    await start()
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    expect((await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN, changes))).RC).toBe(code)
    expect(landscape.legacyErp.truth().invoices).toEqual([])
  })

  it('refuses to invoice more than was ordered, over several lines and invoices', async () => {
    await start()
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    const [line] = invoice('I-1', VBELN).POS
    const half = { ...line, FKIMG: '7.000', NETWR: '198.80' }
    expect(
      (await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN, { POS: [half, half], STEUER: [] }))).RC,
    ).toBe('223')
    expect((await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN, { POS: [half], STEUER: [] }))).RC).toBe(
      '000',
    )
    expect((await ask('/rfc/FI_INVOICE_POST', invoice('I-2', VBELN, { POS: [half], STEUER: [] }))).RC).toBe(
      '223',
    )
    const wrong = { ...half, FKIMG: '1.000', NETWR: '28.41' }
    expect((await ask('/rfc/FI_INVOICE_POST', invoice('I-2', VBELN, { POS: [wrong], STEUER: [] }))).RC).toBe(
      '224',
    )
  })

  it('lowers what is wanted of a position and never raises it, whatever unit that is told in', async () => {
    await start()
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    const pack = landscape.world.items.find(({ number }) => number === '10000')!.units
    const pieces = pack.find(({ unit }) => unit === 'CA')!.numerator
    const close = async (KWMENG: string, VRKME = 'KAR') => {
      const { RC } = await ask('/rfc/SD_ORDER_CLOSE', { VBELN, POS: [{ POSNR: '000010', KWMENG, VRKME }] })
      const { ROWS } = await ask('/rfc/SD_ORDER_READ', { BSTNK: ['O-1'] })
      return [RC, ROWS[0].POS[0].ABGMG, ROWS[0].STATUS]
    }
    expect(await close('10.000')).toEqual(['000', '2.000', 'A'])
    expect(await close('11.000')).toEqual(['000', '2.000', 'A'])
    expect(await close(`${9 * pieces}.000`, 'ST')).toEqual(['000', '3.000', 'A'])
    expect(await close('-1')).toEqual(['205', '3.000', 'A'])
    expect(await close('0.000')).toEqual(['000', '12.000', 'X'])
  })

  it('cancels what is not invoiced, once', async () => {
    await start()
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    expect((await ask('/rfc/SD_ORDER_REJECT', { VBELN, ABGRU: 'Z1' })).RC).toBe('000')
    expect((await ask('/rfc/SD_ORDER_REJECT', { VBELN, ABGRU: 'Z1' })).RC).toBe('213')
    expect((await ask('/rfc/SD_ORDER_READ', { BSTNK: ['O-1'] })).ROWS[0]).toMatchObject({
      STATUS: 'X',
      POS: [{ ABGMG: '12.000' }],
    })
  })

  it('moves credit figures with orders, invoices and payments, and its postings balance', async () => {
    await start()
    const credit = async () => (await ask('/rfc/FI_CREDIT', { KUNNR: [customer().number] })).ROWS[0]
    const opening = customer().receivablesMinor
    const euros = (minor: number): string => (minor / 100).toFixed(2)
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    expect(await credit()).toMatchObject({ SKFOR: euros(opening), SAUFT: '340.80' })
    const { BELNR } = await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN))
    expect(await credit()).toMatchObject({ SKFOR: euros(opening + 36_210), SAUFT: '0.00' })
    const payment = {
      XBLNR: 'P-1',
      KUNNR: customer().number,
      BELNR,
      WRBTR: '300.00',
      WAERS: 'USD',
      VALUT: '20261203',
    }
    expect(await ask('/rfc/FI_PAYMENT_POST', payment)).toMatchObject({ RC: '000', OFFEN: '62.10' })
    expect((await ask('/rfc/FI_PAYMENT_POST', payment)).RC).toBe('232')
    expect(await credit()).toMatchObject({ SKFOR: euros(opening + 6_210) })
    const { postings } = landscape.legacyErp.truth()
    const sum = (side: 'debitMinor' | 'creditMinor') => postings.reduce((total, one) => total + one[side], 0)
    expect([sum('debitMinor'), sum('creditMinor')]).toEqual([66_210, 66_210])
  })

  it('takes a payment back whole and once, which opens its invoice again and balances', async () => {
    await start({ visibilityLagMs: { legacyErp: 500 } })
    const credit = async () => (await ask('/rfc/FI_CREDIT', { KUNNR: [customer().number] })).ROWS[0].SKFOR
    const { VBELN } = await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    const { BELNR } = await ask('/rfc/FI_INVOICE_POST', invoice('I-1', VBELN))
    const owed = await credit()
    const KUNNR = customer().number
    const payment = { XBLNR: 'P-1', KUNNR, BELNR, WRBTR: '300.00', WAERS: 'USD', VALUT: '20261203' }
    const reversal = { XBLNR: 'P-1', STDAT: '20261210', STTXT: 'returned by the bank' }
    expect((await ask('/rfc/FI_PAYMENT_REVERSE', reversal)).RC).toBe('233')
    const { AUGBL } = await ask('/rfc/FI_PAYMENT_POST', payment)
    await clock.advance(500)
    const { RC, STBLG, OFFEN } = await ask('/rfc/FI_PAYMENT_REVERSE', reversal)
    expect({ RC, OFFEN }).toEqual({ RC: '000', OFFEN: '362.10' })
    expect(STBLG).not.toBe(AUGBL)
    const told = async () => (await ask('/rfc/FI_PAYMENT_READ', { XBLNR: ['P-1'] })).ROWS[0]
    expect(await told()).toMatchObject({ AUGBL, STBLG: '' })
    await clock.advance(500)
    expect(await told()).toMatchObject({ AUGBL, STBLG })
    expect((await ask('/rfc/FI_PAYMENT_REVERSE', reversal)).RC).toBe('234')
    expect(await credit()).toBe(owed)
    const { postings } = landscape.legacyErp.truth()
    expect(postings.filter(({ document }) => document === STBLG)).toMatchObject([
      { account: 'receivables', debitMinor: 30_000 },
      { account: 'bank', creditMinor: 30_000 },
    ])
  })

  it('hides a young document from look-ups for the declared lag', async () => {
    await start({ visibilityLagMs: { legacyErp: 500 } })
    await ask('/rfc/SD_ORDER_CREATE', order('O-1'))
    expect((await ask('/rfc/SD_ORDER_READ', { BSTNK: ['O-1'] })).ROWS).toEqual([])
    await clock.advance(500)
    expect((await ask('/rfc/SD_ORDER_READ', { BSTNK: ['O-1'] })).ROWS).toHaveLength(1)
  })

  it('remembers only the latest documents when told so', async () => {
    await start({ keep: 3 })
    for (let n = 0; n < 5; n++) await ask('/rfc/SD_ORDER_CREATE', order(`O-${n}`))
    expect(landscape.legacyErp.truth().orders.map((one) => one.reference)).toEqual(['O-2', 'O-3', 'O-4'])
    expect((await ask('/rfc/FI_INVOICE_POST', invoice('I-1', '0000451234'))).RC).toBe('000')
  })
})
