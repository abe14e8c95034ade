/** The list of orders, newest first, under the house in seven figures. */
import { html, type Html } from '#platform/http-html.ts'
import type { Summary } from '#processes/summary.ts'
import type { Row } from './list.ts'
import { age, channelWords, figure, money, spaced, span, stageBadge, warningBadge } from './words.ts'

export type ListPage = {
  readonly rows: readonly Row[]
  /** Absent for a partner. */
  readonly summary: Summary | undefined
  readonly companies: readonly string[]
  readonly chosen: { readonly state: string; readonly company: string; readonly text: string }
  /** The address of the page after this one. */
  readonly older: string | undefined
  /** This is not the first page: what is new belongs elsewhere. */
  readonly paged: boolean
  readonly now: Date
}

export function listPage(page: ListPage): Html {
  return html`<h1 class="visually-hidden">Orders</h1>
    ${page.summary && tiles(page.summary)}
    <div class="filters">${stateLinks(page.chosen)}${page.companies.length > 1 && companyLinks(page)}</div>
    ${
      page.chosen.text !== '' &&
      html`<p class="notice">
        Orders known as <strong>${page.chosen.text}</strong> · <a href="/">show all</a>
      </p>`
    }
    <button id="pill" class="pill" type="button" hidden></button>
    ${page.rows.length === 0 ? empty(page) : table(page)}
    <nav class="pages" aria-label="Pages" data-part="pages">
      ${page.paged && html`<a href="${addressOf(page.chosen)}">Newest</a>`}
      ${page.older !== undefined && html`<a href="${page.older}" rel="next">Older orders</a>`}
    </nav>`
}

function tiles(summary: Summary): Html {
  const { accepted, held, backordered, shipped, invoiced, exceptions, p95Ms } = summary
  const share = (part: number) => (accepted === 0 ? '–' : `${Math.round((100 * part) / accepted)} %`)
  return html`<dl class="tiles" id="tiles">
    ${tile('Accepted', figure(accepted), 'last 24 hours')}
    ${tile('On hold', figure(held), html`<a href="/?state=held">show them</a>`, held > 0 && 'stop')}
    ${tile('Backordered', figure(backordered), 'waiting for stock', backordered > 0 && 'wait')}
    ${tile('Shipped', figure(shipped), `${share(shipped)} of accepted`)}
    ${tile('Invoiced', figure(invoiced), `${share(invoiced)} of accepted`)}
    ${tile('Exceptions', figure(exceptions), 'open now', exceptions > 0 && 'stop')}
    ${tile('Accepted to posted', p95Ms === undefined ? '–' : span(p95Ms), '95 % are faster')}
  </dl>`
}

const tile = (label: string, value: string, hint: string | Html, tone: string | false = false): Html =>
  html`<div class="tile ${tone || ''}">
    <dt>${label}</dt>
    <dd>${value}</dd>
    <dd class="hint">${hint}</dd>
  </div>`

type Chosen = ListPage['chosen']

export function addressOf({ state, company, text }: Chosen, cursor?: string): string {
  const parameters = new URLSearchParams(
    Object.entries({ state, company, text, cursor: cursor ?? '' }).filter(([, value]) => value !== ''),
  )
  return parameters.size === 0 ? '/' : `/?${parameters}`
}

const choice = (words: string, address: string, current: boolean): Html =>
  html`<a href="${address}" ${current && html`aria-current="true"`}>${words}</a>`

const STATES = [
  ['', 'All'],
  ['open', 'Open'],
  ['held', 'On hold'],
  ['closed', 'Closed'],
] as const

const stateLinks = (chosen: Chosen): Html =>
  html`<nav class="choices" aria-label="State">
    ${STATES.map(([state, words]) => choice(words, addressOf({ ...chosen, state }), chosen.state === state))}
  </nav>`

const companyLinks = ({ chosen, companies }: ListPage): Html =>
  html`<nav class="choices" aria-label="Company">
    ${choice('All companies', addressOf({ ...chosen, company: '' }), chosen.company === '')}
    ${companies.map((company) => choice(company, addressOf({ ...chosen, company }), chosen.company === company))}
  </nav>`

function empty({ chosen }: ListPage): Html {
  const filters = [chosen.state && `state ${chosen.state}`, chosen.company, chosen.text].filter(Boolean)
  if (filters.length > 0) {
    return html`<div class="empty" id="orders">
      <h2>No orders match</h2>
      <p>Filtered by ${filters.join(', ')}. <a href="/">Clear the filter</a></p>
    </div>`
  }
  return html`<div class="empty" id="orders">
    <h2>No orders yet</h2>
    <p>
      Send one with <code>POST /process/order-to-cash/v1/orders</code>; the
      <a href="/docs/api#orders.submit">API reference</a> has an example. It appears here by itself.
    </p>
  </div>`
}

// The roles are those the elements have: on narrow screens rows are laid out as cards, and would lose them.
function table({ rows, paged, now }: ListPage): Html {
  const heading = (words: string, kind = '') =>
    html`<th role="columnheader" scope="col" class="${kind}">${words}</th>`
  return html`<table
    class="list"
    id="orders"
    role="table"
    aria-label="Orders, newest first"
    data-paged="${String(paged)}"
  >
    <thead role="rowgroup">
      <tr role="row">
        ${heading('Order')}${heading('Purchase order')}${heading('Customer')}${heading('Company')}
        ${heading('Channel')}${heading('Stage')}${heading('Value', 'number')}${heading('Age', 'number')}
        ${heading('Holds')}${heading('Exceptions')}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map((row) => tableRow(row, now))}
    </tbody>
  </table>`
}

const cell = (label: string, content: Html | string | false, kind = ''): Html =>
  html`<td role="cell" class="${kind}" data-label="${label}">
    ${content || html`<span class="none">–</span>`}
  </td>`

function tableRow(row: Row, now: Date): Html {
  const ageMs = now.getTime() - Date.parse(row.acceptedAt)
  return html`<tr role="row" id="${row.id}">
    <th role="rowheader" scope="row"><a href="/orders/${row.id}">${row.id}</a></th>
    ${cell('Purchase order', row.customerOrder, 'po')}
    ${cell('Customer', html`${row.customerName} <small>${row.customer}</small>`, 'customer')}
    ${cell('Company', row.company)} ${cell('Channel', channelWords(row.channel))}
    ${cell('Stage', stageBadge(row.stage))} ${cell('Value', money(row.value, row.currency), 'number')}
    ${cell('Age', html`<time datetime="${row.acceptedAt}" title="Accepted ${row.acceptedAt}">${age(ageMs)}</time>`, 'number')}
    ${cell('Holds', row.holds.length > 0 && row.holds.map(spaced).join(', '), 'holds')}
    ${cell(
      'Exceptions',
      row.exceptions.length > 0 &&
        html`<span title="${row.exceptions.join('; ')}"
          >${warningBadge(`${row.exceptions.length} open`)}</span
        >`,
    )}
  </tr>`
}
