/** Stages, channels, spans of time and amounts as people read them. */
import { html, Html } from '#platform/http-html.ts'

/** How a stage looks: its words, its tone and its icon; never colour alone. */
type Look = { readonly words: string; readonly tone: Tone; readonly icon: string }
export type Tone = 'quiet' | 'wait' | 'stop' | 'move' | 'done'

const CIRCLE = '<circle cx="8" cy="8" r="6.25"/>'
const BOX = '<path d="M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.5 5 8 8l5.5-3M8 8v6"/>'
const TRUCK =
  '<path d="M1.5 4h8v7h-8zM9.5 6.5h3l2 2.5v2h-5"/><circle cx="4.5" cy="11.5" r="1.5"/><circle cx="11.5" cy="11.5" r="1.5"/>'

const LOOKS: Readonly<Record<string, Look>> = {
  received: { words: 'Received', tone: 'quiet', icon: CIRCLE },
  held: { words: 'On hold', tone: 'stop', icon: `${CIRCLE}<path d="M6.25 5.75v4.5M9.75 5.75v4.5"/>` },
  backordered: { words: 'Backordered', tone: 'wait', icon: `${CIRCLE}<path d="M8 4.5V8l2.5 1.5"/>` },
  partially_allocated: {
    words: 'Partly reserved',
    tone: 'wait',
    icon: `${CIRCLE}<path d="M8 1.75v12.5A6.25 6.25 0 0 0 8 1.75z" fill="currentColor"/>`,
  },
  allocated: { words: 'Reserved', tone: 'move', icon: '<path d="M4 2h8v12l-4-3-4 3z"/>' },
  released: { words: 'Released', tone: 'move', icon: '<path d="M2 8h11M9 4l4 4-4 4"/>' },
  in_fulfillment: { words: 'Being picked', tone: 'move', icon: BOX },
  partially_shipped: { words: 'Partly shipped', tone: 'move', icon: TRUCK },
  shipped: { words: 'Shipped', tone: 'done', icon: TRUCK },
  closed: { words: 'Closed', tone: 'done', icon: '<path d="m3 8.5 3.5 3.5L13 4.5"/>' },
  cancelled: { words: 'Cancelled', tone: 'quiet', icon: '<path d="m4 4 8 8M12 4l-8 8"/>' },
}

export const stageBadge = (stage: string): Html => {
  const { words, tone, icon } = LOOKS[stage] ?? { words: spaced(stage), tone: 'quiet' as const, icon: CIRCLE }
  return badge(tone, icon, words)
}

const WARNING = '<path d="M8 2 14.5 13.5h-13zM8 6.5v3.25M8 11.5v.25"/>'
export const warningBadge = (words: string): Html => badge('stop', WARNING, words)

const badge = (tone: Tone, icon: string, words: string): Html =>
  html`<span class="badge ${tone}"
    ><svg viewBox="0 0 16 16" aria-hidden="true">${new Html(icon)}</svg>${words}</span
  >`

const CHANNELS: Readonly<Record<string, string>> = {
  api: 'API',
  edi: 'EDI',
  shop: 'Shop',
  file: 'File',
  rep: 'Sales rep',
}
export const channelWords = (channel: string): string => CHANNELS[channel] ?? channel

/** `price_review` → `price review`. */
export const spaced = (word: string): string => word.replaceAll(/[_-]/g, ' ')
export const sentence = (word: string): string => {
  const words = spaced(word)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const SCHEMES: Readonly<Record<string, string>> = {
  'customer-order': 'Purchase order',
  'edi-order': 'EDI order',
  'erp-order': 'ERP order',
  'erp-invoice': 'ERP invoice',
  invoice: 'Invoice',
  'wms-order': 'WMS order',
  'wms-shipment': 'WMS shipment',
  sscc: 'SSCC',
  tracking: 'Tracking',
}
export const schemeWords = (scheme: string): string => SCHEMES[scheme] ?? sentence(scheme)

/** The two largest units: 3 d 4 h, 12 min, 450 ms. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  const seconds = ms / 1_000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return minutes < 10 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** An age in its largest unit: now, 40 s, 3 min, 5 h, 2 d. */
export function age(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** 12345.60 → 12,345.60, with its currency. */
export function money(amount: string, currency: string): string {
  const [whole = '', places] = amount.split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return `${places === undefined ? grouped : `${grouped}.${places}`} ${currency}`
}

export const figure = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')
