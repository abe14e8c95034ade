/** The frame of every page: bar with search, the live state, the help on keys. Works without JavaScript. */
import { html, type Html } from '#platform/http-html.ts'

export type Layout = {
  readonly title: string
  /** What the browser module keeps live: the list, one order, or nothing. */
  readonly kind: 'list' | 'story' | 'plain'
  /** The order of a story page. */
  readonly order?: string
  readonly searched?: string
  readonly main: Html
}

/** In the order in which they build on each other. */
export const STYLES = ['frame.css', 'list.css', 'story.css', 'narrow.css'] as const

const LOGO = html`<svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
  <rect x="1" y="1" width="22" height="22" rx="5" />
  <path d="M6 8.5h7l-2-2.5M18 15.5h-7l2 2.5M6 8.5 18 15.5" />
</svg>`

/** Help on keys; shown by the browser module, which is what the keys need too. */
const FOOT = html`<footer class="foot">
  <button id="keys-open" type="button" hidden>Keyboard <kbd>?</kbd></button>
  <dialog id="keys" aria-labelledby="keys-title">
    <h2 id="keys-title">Keyboard</h2>
    <dl>
      <div>
        <dt><kbd>j</kbd> <kbd>k</kbd></dt>
        <dd>next, previous order</dd>
      </div>
      <div>
        <dt><kbd>Enter</kbd></dt>
        <dd>open the order</dd>
      </div>
      <div>
        <dt><kbd>/</kbd></dt>
        <dd>search by any number</dd>
      </div>
      <div>
        <dt><kbd>Esc</kbd></dt>
        <dd>leave the search or the selection; from an order back to the list</dd>
      </div>
      <div>
        <dt><kbd>?</kbd></dt>
        <dd>this help</dd>
      </div>
    </dl>
    <label class="switch"><input id="keys-on" type="checkbox" checked /> Single-key shortcuts are on</label>
    <form method="dialog"><button>Close</button></form>
  </dialog>
</footer>`

export function layout({ title, kind, order, searched = '', main }: Layout): string {
  return `<!doctype html>\n${html`<html lang="en" data-page="${kind}" data-order="${order ?? ''}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · Crossdock</title>
      <link rel="icon" href="/control-tower/tower.svg" type="image/svg+xml" />
      ${STYLES.map((file) => html`<link rel="stylesheet" href="/control-tower/${file}" />`)}
      ${kind !== 'plain' && html`<script type="module" src="/control-tower/tower.js"></script>`}
    </head>
    <body>
      <a class="skip" href="#main">Skip to content</a>
      <header class="bar">
        <a class="brand" href="/">${LOGO}Crossdock</a>
        <form class="search" action="/find" role="search">
          <label class="visually-hidden" for="search">Find an order by any number</label>
          <input
            id="search"
            name="number"
            type="search"
            required
            maxlength="80"
            autocomplete="off"
            spellcheck="false"
            placeholder="Any number: PO, ERP order, invoice, tracking…"
            value="${searched}"
          />
          <button type="submit">Find</button>
        </form>
        <nav aria-label="Site"><a href="/docs/api">API</a></nav>
        ${kind !== 'plain' && html`<p id="live" class="live" role="status" data-state="connecting">Connecting</p>`}
      </header>
      <noscript
        ><p class="notice">
          Without JavaScript this page does not update by itself. Reload to see what is new.
        </p></noscript
      >
      <main id="main" tabindex="-1">${main}</main>
      ${FOOT}
    </body>
  </html>`}\n`
}
