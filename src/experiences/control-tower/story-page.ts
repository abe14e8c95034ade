/** One order's story: what it is, what it waits for, its lines, its documents on both sides, and all that happened. */
import { html, type Html } from '#platform/http-html.ts'
import { ASKING_WORDS } from '#domains/shipments/contract/tracking.ts'
import type { AskedParcel, Story, StoryDocument, StoryEntry, StoryParcel } from '#processes/story.ts'
import { linesTable } from './story-lines.ts'
import {
  channelWords,
  money,
  schemeWords,
  sentence,
  spaced,
  span,
  stageBadge,
  warningBadge,
} from './words.ts'

export type StoryPage = {
  readonly story: Story
  readonly customerName: string
  /** By line as the story lists them: the quantity on posted invoices, with its unit where that is another one. */
  readonly invoiced: readonly string[]
}

export function storyPage({ story, customerName, invoiced }: StoryPage): Html {
  const { order } = story
  return html`<p class="back"><a href="/" id="back">‹ Orders</a></p>
    <div class="title" data-part="title">
      <h1>${order.id}</h1>
      ${stageBadge(order.stage)}
      <p class="lead">
        Purchase order <strong>${order.customerOrder}</strong> of ${customerName || order.customer}
      </p>
    </div>
    <div data-part="trouble">${trouble(story)}</div>
    <div data-part="facts">${facts(story, customerName)}</div>
    <section aria-labelledby="lines-title">
      <h2 id="lines-title">Lines</h2>
      <div data-part="lines">${linesTable(story, invoiced)}</div>
    </section>
    <div class="columns">
      <section aria-labelledby="documents-title">
        <h2 id="documents-title">Documents</h2>
        <ul class="documents" data-part="documents">
          ${story.documents.map((document) => documentItem(document, story.money.currency))}
        </ul>
      </section>
      <section aria-labelledby="timeline-title">
        <h2 id="timeline-title">
          What happened <small>times in <span data-zone>UTC</span></small>
        </h2>
        <ol class="timeline" id="timeline">
          ${story.entries.map((entry, place) => timelineItem(entry, story.entries[place - 1]))}
        </ol>
      </section>
    </div>`
}

function facts({ order, money: sums }: Story, customerName: string): Html {
  const amount = (value: string) => money(value, sums.currency)
  const rows: readonly (readonly [string, Html | string | null])[] = [
    ['Customer', html`${customerName} <small>${order.customer}</small>`],
    ['Company', order.company],
    ['Channel', html`${channelWords(order.channel)} <small>${order.sender}</small>`],
    ['Accepted', order.acceptedAt === null ? null : instant(order.acceptedAt, 'long')],
    ['Order date', order.orderDate],
    ['Requested for', order.requestedDate],
    ['Shipping', sentence(order.shippingRule)],
    ['Value', amount(sums.total)],
    ['Invoiced', amount(sums.invoiced)],
    ['Paid', amount(sums.paid)],
    ['Due', amount(sums.due)],
  ]
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        value !== null &&
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

/** Times are told in UTC; the browser module tells them in the reader's zone. */
const instant = (iso: string, kind: 'long' | 'time'): Html => {
  const [day = '', time = ''] = iso.replace('Z', '').split('T')
  const text = kind === 'long' ? `${day} ${time.slice(0, 8)} UTC` : time.slice(0, 12)
  return html`<time datetime="${iso}" data-local="${kind}" title="${iso}">${text}</time>`
}

/** Why it does not go on, and what somebody can do about it. */
function trouble({ holds, exceptions, openCalls }: Story): Html | false {
  const calls = openCalls.filter(
    ({ state, attempts }) => state !== 'intended' && (state !== 'retry' || attempts > 0),
  )
  if (holds.length + exceptions.length + calls.length === 0) return false
  return html`<ul class="trouble" aria-label="What stops this order">
    ${holds.map(
      ({ id, type, reason, blocks }) =>
        html`<li>
          ${warningBadge(`${sentence(type)} hold`)}
          <p>${reason}</p>
          <p class="quiet">${id} blocks ${blocks.map(stepWords).join(' and ')}</p>
        </li>`,
    )}
    ${exceptions.map(
      ({ title, owner, suggestedAction, dueAt, severity }) =>
        html`<li>
          ${warningBadge(`Exception, severity ${severity}`)}
          <p><strong>${title}</strong></p>
          <p>${suggestedAction}</p>
          <p class="quiet">Owned by ${spaced(owner)}, due ${instant(dueAt, 'long')}</p>
        </li>`,
    )}
    ${calls.map(
      ({ system, operation, state, attempts, dueAt, document }) =>
        html`<li>
          ${warningBadge(`Waiting for ${system}`)}
          <p>${sentence(operation.split('.').at(-1) ?? operation)} for ${document} is ${state}</p>
          <p class="quiet">
            ${attempts} ${attempts === 1 ? 'try' : 'tries'} so
            far${dueAt !== null && html`, next at ${instant(dueAt, 'long')}`}
          </p>
        </li>`,
    )}
  </ul>`
}

const STEPS: Readonly<Record<string, string>> = {
  postToErp: 'posting to the ERP',
  release: 'release to the warehouse',
}
const stepWords = (step: string): string => STEPS[step] ?? spaced(step)

function documentItem(
  { id, kind, state, location, amount, references, parcels = [], asked = [] }: StoryDocument,
  currency: string,
): Html {
  return html`<li>
    <p class="document">
      <strong>${sentence(kind)} ${id}</strong> <span class="state">${spaced(state)}</span>
      ${amount !== undefined && html`<span class="amount">${money(amount, currency)}</span>`}
    </p>
    <dl>
      ${
        location !== undefined &&
        html`<div>
          <dt>At</dt>
          <dd>${location}</dd>
        </div>`
      }
      ${references.map(
        ({ scheme, value }) =>
          html`<div>
            <dt>${schemeWords(scheme)}</dt>
            <dd><code>${value}</code></dd>
          </div>`,
      )}
      ${parcels.map(parcelItem)} ${asked.map(askedItem)}
    </dl>
  </li>`
}

const parcelItem = ({ tracking, milestone, code, at, place, signedBy }: StoryParcel): Html =>
  html`<div>
    <dt>Parcel</dt>
    <dd>
      <code>${tracking}</code> ${spaced(milestone)} (${code}) at
      ${instant(at, 'long')}${place !== null && html`, ${place}`}${
        signedBy !== null && html`, signed for by ${signedBy}`
      }
    </dd>
  </div>`

const askedItem = ({ tracking, at, answer, unansweredSince }: AskedParcel): Html =>
  html`<div>
    <dt>Carrier asked</dt>
    <dd>
      about <code>${tracking}</code> at ${instant(at, 'long')}:
      ${ASKING_WORDS[answer]}${unansweredSince !== null && html` since ${instant(unansweredSince, 'long')}`}
    </dd>
  </div>`

function timelineItem(entry: StoryEntry, before: StoryEntry | undefined): Html {
  const [day] = entry.at.split('T')
  const newDay = before === undefined || before.at.split('T')[0] !== day
  const sinceMs = before === undefined ? undefined : Date.parse(entry.at) - Date.parse(before.at)
  return html`<li id="e-${entry.document}-${entry.version}">
    ${newDay && html`<p class="day"><time datetime="${entry.at}" data-local="day">${day}</time></p>`}
    <p class="when">
      ${instant(entry.at, 'time')}
      ${sinceMs !== undefined && sinceMs > 0 && html`<span class="since" title="since the entry before">+${span(sinceMs)}</span>`}
    </p>
    <div class="what">
      <p>${entry.title}</p>
      <p class="quiet">${entry.document} · ${entry.type} · ${entry.source}</p>
    </div>
  </li>`
}
