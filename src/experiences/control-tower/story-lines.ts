/** The lines of an order: what was ordered, and where each quantity is now. */
import { html, type Html } from '#platform/http-html.ts'
import type { ToldLine } from '#processes/order-lines.ts'
import type { Story } from '#processes/story.ts'
import { money } from './words.ts'

/** The buckets of a line in the order in which a quantity passes them. */
const BUCKETS = [
  ['cancelled', 'Cancelled'],
  ['backordered', 'Backordered'],
  ['reserved', 'Reserved'],
  ['released', 'Released'],
  ['shipped', 'Shipped'],
] as const

export function linesTable({ lines, money: { currency } }: Story, invoiced: readonly string[]): Html {
  const heading = (words: string, kind = '') =>
    html`<th role="columnheader" scope="col" class="${kind}">${words}</th>`
  return html`<table class="lines" role="table" aria-label="Lines with their quantities">
    <thead role="rowgroup">
      <tr role="row">
        ${heading('Line')}${heading('Item')}${heading('Ordered', 'number')}${heading('Price', 'number')}
        ${heading('Net', 'number')}${heading('Progress')}
        ${BUCKETS.map(([, words]) => heading(words, 'number'))}${heading('Invoiced', 'number')}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${lines.map((line, place) => lineRow(line, currency, invoiced[place] ?? '0'))}
    </tbody>
  </table>`
}

const cell = (label: string, content: Html | string, kind = ''): Html =>
  html`<td role="cell" class="${kind}" data-label="${label}">${content}</td>`

const quantity = (label: string, value: string): Html =>
  cell(label, value === '0' ? html`<span class="none">0</span>` : value, 'number')

function lineRow(line: ToldLine, currency: string, invoiced: string): Html {
  const ordered = html`${line.quantity} ${line.unit}
  ${line.unit !== line.baseUnit && html`<small>= ${line.ordered} ${line.baseUnit}</small>`}`
  const price = html`${money(line.price, currency)} <small>per ${line.priceUnit}</small>`
  return html`<tr role="row">
    <th role="rowheader" scope="row" data-label="Line">${line.line}</th>
    ${cell('Item', html`${line.sku} ${line.rejection !== null && html`<small>rejected: ${line.rejection}</small>`}`)}
    ${cell('Ordered', ordered, 'number')} ${cell('Price', price, 'number')}
    ${cell('Net', money(line.net, currency), 'number')} ${cell('Progress', progress(line), 'progress')}
    ${BUCKETS.map(([bucket, words]) => quantity(words, bucket === 'released' ? underWay(line) : line[bucket]))}
    ${quantity('Invoiced', invoiced)}
  </tr>`
}

/** Released, picked and packed are all in the warehouse's hands. */
const underWay = ({ released, picked, packed }: ToldLine): string =>
  String(Number((Number(released) + Number(picked) + Number(packed)).toFixed(4)))

/** A bar as wide as what was ordered, each bucket its part; the same figures stand beside it. */
function progress(line: ToldLine): Html {
  const ordered = Number(line.ordered)
  const parts = [
    ['shipped', Number(line.shipped)],
    ['released', Number(underWay(line))],
    ['reserved', Number(line.reserved)],
    ['backordered', Number(line.backordered)],
    ['cancelled', Number(line.cancelled)],
  ] as const
  let from = 0
  const bars = parts.flatMap(([bucket, value]) => {
    if (value === 0 || ordered === 0) return []
    const width = (100 * value) / ordered
    const bar = html`<rect class="${bucket}" x="${from}" y="0" width="${width}" height="8" />`
    from += width
    return [bar]
  })
  return html`<svg class="bar-chart" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    ${bars}
  </svg>`
}
