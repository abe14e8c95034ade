/**
 * The words of the legacy ERP. Every value is a text: numbers padded with zeros, decimals with a point and their sign
 * behind, dates YYYYMMDD. The status is always 200; the outcome stands in `RC`.
 */
import {
  type Fields,
  fieldsOf,
  filledText,
  listOf,
  optionalText,
  text,
  Unexpected,
} from '#platform/fields.ts'

export type LegacyAddress = {
  readonly NAME1: string
  readonly STRAS: string
  readonly ORT01: string
  readonly PSTLZ: string
  readonly REGIO: string
  readonly LAND1: string
}

export type LegacyOrder = {
  readonly BUKRS: string
  readonly KUNNR: string
  /** Our number. */
  readonly BSTNK: string
  readonly IHREZ: string
  readonly VDATU?: string
  readonly WAERS: string
  readonly ADRNR?: string
  readonly LIEFADR?: LegacyAddress
  readonly POS: readonly LegacyOrderLine[]
}

export type LegacyOrderLine = {
  readonly POSNR: string
  readonly MATNR: string
  readonly KWMENG: string
  readonly VRKME: string
  readonly KBETR: string
  readonly KMEIN: string
  /** When the position is wanted, where not when the order is. */
  readonly EDATU?: string
}

/** What is still wanted of positions. */
export type LegacyClosing = {
  readonly VBELN: string
  readonly POS: readonly Pick<LegacyOrderLine, 'POSNR' | 'KWMENG' | 'VRKME'>[]
}

export type LegacyInvoice = {
  readonly BUKRS: string
  readonly KUNNR: string
  /** Our document. */
  readonly XBLNR: string
  readonly VBELN: string
  readonly FKDAT: string
  readonly WAERS: string
  readonly STEUERBELEG?: string
  readonly POS: readonly LegacyInvoiceLine[]
  /** Left out: the ERP taxes by its own table. */
  readonly STEUER?: readonly LegacyTax[]
}

export type LegacyInvoiceLine = {
  readonly POSNR: string
  readonly AUPOS: string
  readonly MATNR: string
  readonly FKIMG: string
  readonly VRKME: string
  readonly CWMENGE: string
  readonly KBETR: string
  readonly KMEIN: string
  readonly NETWR: string
}

export type LegacyTax = {
  readonly TXJCD: string
  readonly KAWRT: string
  /** Per cent with four places. */
  readonly KBETR: string
  readonly MWSBK: string
}

export type LegacyPayment = {
  readonly XBLNR: string
  readonly KUNNR: string
  readonly BELNR: string
  readonly WRBTR: string
  readonly WAERS: string
  readonly VALUT: string
}

export type LegacyReversal = {
  readonly XBLNR: string
  readonly STDAT: string
  readonly STTXT: string
}

/** An answer, whatever the function: its code, and the rest unread. */
export type LegacyAnswer = { readonly rc: string; readonly fields: Fields }

/** Reads `RC`; an answer without it is no answer of this system. */
export function answerOf(body: unknown): LegacyAnswer {
  const fields = fieldsOf(body)
  return { fields, rc: filledText(fields, 'RC') }
}

/** `MATERIAL 99999 NICHT VORHANDEN (POS/1/MATNR)`. */
export function messageOf(fields: Fields): string {
  const words = optionalText(fields, 'MSGTX') ?? 'no text'
  const field = optionalText(fields, 'FELD')
  return field === undefined ? words : `${words} (${field})`
}

/** One document of a batch, found by its reference. */
export type LegacyStatus = { readonly reference: string; readonly status: string; readonly fields: Fields }

export const statusesOf = (fields: Fields, reference: 'BSTNK' | 'XBLNR'): LegacyStatus[] =>
  listOf(fields, 'STATUS', (status) => ({
    reference: filledText(status, reference),
    status: filledText(status, 'STATUS'),
    fields: status,
  }))

const SIGNED = /^(\d{1,13})(\.\d+)?(-?)$/

/** A decimal whose sign stands behind the figure, as one whose sign stands before it. */
export function decimalText(fields: Fields, name: string): string {
  const value = text(fields, name)
  const match = SIGNED.exec(value)
  if (!match) throw new Unexpected(`${name} is not a decimal: "${value.slice(0, 40)}"`)
  return `${match[3]}${match[1]}${match[2] ?? ''}`
}

/** `0000100123` is 100123. */
export const bareNumber = (fields: Fields, name: string): string =>
  filledText(fields, name).replace(/^0+(?=.)/, '')

/** YYYYMMDD as an ISO date. */
export function isoDate(fields: Fields, name: string): string {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text(fields, name))
  if (!match) throw new Unexpected(`${name} is not a date`)
  return `${match[1]}-${match[2]}-${match[3]}`
}

/** When a row was changed, to the second: `AEDAT` and `AEZET`, by UTC. */
export function changeTime(fields: Fields): Date {
  const match = /^([01]\d|2[0-3])([0-5]\d)([0-5]\d)$/.exec(text(fields, 'AEZET'))
  if (!match) throw new Unexpected('AEZET is not a time')
  return new Date(`${isoDate(fields, 'AEDAT')}T${match[1]}:${match[2]}:${match[3]}Z`)
}

export const legacyDate = (isoDate: string): string => isoDate.replaceAll('-', '')

/** A flag is "X" or nothing. */
export const flag = (fields: Fields, name: string): boolean => text(fields, name) === 'X'
