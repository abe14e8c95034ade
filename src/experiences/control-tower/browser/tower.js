/**
 * Keeps a page of the control tower live. The server renders everything: on a change the page is fetched again and what
 * differs is exchanged, so nothing here builds HTML. Rows never move under the reader.
 */
const root = document.documentElement
const live = document.getElementById('live')
const find = (id) => document.getElementById(id)

// Reading the page anew -----------------------------------------------------------------------------------------------

/** The page at an address as a document of its own; its scripts do not run. */
function load(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('GET', address)
    request.responseType = 'document'
    request.addEventListener('load', () =>
      request.response ? resolve(request.response) : reject(new Error('no page')),
    )
    request.addEventListener('error', () => reject(new Error('no answer')))
    request.send()
  })
}

let running = false
let again = false

/** One at a time; what changes meanwhile is read right after. */
async function refresh() {
  if (running) {
    again = true
    return
  }
  running = true
  try {
    const next = await load(location.href)
    localize(next)
    if (root.dataset.page === 'list') renewList(next)
    else renewStory(next)
    show('live')
  } catch {
    show('paused')
  }
  running = false
  if (again) {
    again = false
    void refresh()
  }
}

/** Exchanges an element where it differs; the focus stays where it was. */
function exchange(now, next) {
  if (!now || !next || now.isEqualNode(next)) return
  const focused = now.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null
  const fresh = document.adoptNode(next)
  now.replaceWith(fresh)
  if (focused !== null) fresh.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
}

// The list ------------------------------------------------------------------------------------------------------------

/** As long as the style lets a new row fade. */
const FADES_MS = 2_500

let waiting
let arrived = 0
/** When rows that still fade came. */
let fading = new Map()

const bodyOf = (page) => page.querySelector('#orders tbody')

function renewList(next) {
  exchange(find('tiles'), next.getElementById('tiles'))
  const [rows, nextRows] = [bodyOf(document), bodyOf(next)]
  if (!rows || !nextRows) return exchange(find('orders'), next.getElementById('orders'))
  const paged = find('orders').dataset.paged === 'true'
  const unseen = [...nextRows.rows].filter((row) => !find(row.id))
  if (unseen.length > 0 && !paged && isReading()) {
    // Rows that have changed are taken out of the page below; what waits stays whole.
    waiting = next.cloneNode(true)
    offer(unseen.length)
  }
  if (unseen.length > 0 && !paged && !isReading()) return bringIn(next)
  for (const row of Array.from(nextRows.rows)) exchange(find(row.id), faded(row))
}

const timeOf = ({ timeline }) => Number(timeline.currentTime)

/** A row that came a moment ago goes on fading, whatever has changed in it. */
function faded(row) {
  const sinceMs = timeOf(document) - (fading.get(row.id) ?? -FADES_MS)
  row.classList.toggle('fresh', sinceMs < FADES_MS)
  if (sinceMs < FADES_MS) row.style.setProperty('--faded', `-${Math.round(sinceMs)}ms`)
  return row
}

/** Somebody who has scrolled, selected a row or marked text is reading: new rows wait for him. */
const isReading = () =>
  scrollY > 160 ||
  bodyOf(document)?.contains(document.activeElement) ||
  (getSelection()?.toString() ?? '') !== ''

function offer(count) {
  const pill = find('pill')
  pill.textContent = count === 1 ? '1 new order' : `${count}${count >= 50 ? ' or more' : ''} new orders`
  pill.hidden = false
}

/** Takes over the rows of the page as it is now, newest first, and marks those that are new. */
function bringIn(next) {
  const now = timeOf(document)
  const rows = [...bodyOf(next).rows]
  const unseen = rows.filter((row) => !find(row.id))
  fading = new Map([...fading].filter(([, cameMs]) => now - cameMs < FADES_MS))
  for (const { id } of unseen) fading.set(id, now)
  arrived += unseen.length
  bodyOf(document).replaceChildren(...rows.map((row) => faded(document.adoptNode(row))))
  exchange(document.querySelector('[data-part=pages]'), next.querySelector('[data-part=pages]'))
  waiting = undefined
  find('pill').hidden = true
}

find('pill')?.addEventListener('click', () => {
  if (waiting) bringIn(waiting)
  scrollTo({ top: 0 })
  bodyOf(document)?.querySelector('a')?.focus({ preventScroll: true })
})

// The story -----------------------------------------------------------------------------------------------------------

function renewStory(next) {
  for (const part of document.querySelectorAll('[data-part]')) {
    exchange(part, next.querySelector(`[data-part="${part.dataset.part}"]`))
  }
  const [timeline, nextTimeline] = [find('timeline'), next.getElementById('timeline')]
  for (const entry of Array.from(nextTimeline?.children ?? [])) {
    if (find(entry.id)) continue
    entry.classList.add('fresh')
    timeline.append(document.adoptNode(entry))
    arrived += 1
  }
}

// Times in the reader's zone ------------------------------------------------------------------------------------------

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const clockTime = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }
const forms = {
  long: new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }),
  time: new Intl.DateTimeFormat('en-GB', { ...clockTime, fractionalSecondDigits: 3 }),
  day: new Intl.DateTimeFormat('en-GB', { dateStyle: 'full' }),
}

function localize(page) {
  for (const time of page.querySelectorAll('time[data-local]')) {
    time.textContent = forms[time.dataset.local].format(new Date(time.dateTime))
  }
  for (const name of page.querySelectorAll('[data-zone]')) name.textContent = zone
}

// The stream ----------------------------------------------------------------------------------------------------------

let source
let lastId = ''

const WORDS = { connecting: 'Connecting', live: 'Live', paused: 'Live paused, reconnecting' }

/** Screen readers are told of a change of state at once, and of arrivals with the tick, not with each of them. */
function show(state) {
  if (live.dataset.state === state) return
  live.dataset.state = state
  live.textContent = WORDS[state]
}

function connect() {
  source = new EventSource('/experience/control-tower/v1/stream')
  source.addEventListener('ready', ({ lastEventId }) => {
    // After a pause something may have changed; on the first connection the page itself is fresh.
    if (lastId !== '' && lastId !== lastEventId) void refresh()
    lastId = lastEventId
    show('live')
  })
  source.addEventListener('change', ({ lastEventId, data }) => {
    lastId = lastEventId
    const { many, orders } = JSON.parse(data)
    if (root.dataset.page === 'list' || many || orders.includes(root.dataset.order)) void refresh()
  })
  source.addEventListener('tick', ({ lastEventId }) => {
    lastId = lastEventId
    if (root.dataset.page === 'list') void refresh()
    announce()
  })
  source.addEventListener('error', () => show('paused'))
}

function announce() {
  const told = arrived
  arrived = 0
  live.setAttribute('aria-label', told === 0 ? '' : `Live, ${told} new`)
  if (told === 0) live.removeAttribute('aria-label')
}

/** A page that nobody sees needs no line; when it is seen again it catches up. */
document.addEventListener('visibilitychange', () => {
  source?.close()
  if (!document.hidden) {
    connect()
    void refresh()
  }
})

// Keys ----------------------------------------------------------------------------------------------------------------

const switched = find('keys-on')
switched.checked = localStorage.getItem('keys') !== 'off'
switched.addEventListener('change', () => localStorage.setItem('keys', switched.checked ? 'on' : 'off'))
const help = find('keys')
find('keys-open').hidden = false
find('keys-open').addEventListener('click', () => help.showModal())

function move(step) {
  const links = [...document.querySelectorAll('#orders tbody th a')]
  const at = links.findIndex((link) => link.closest('tr').contains(document.activeElement))
  const to = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)
  links[to]?.focus()
  links[to]?.closest('tr').scrollIntoView({ block: 'nearest' })
}

function escape() {
  const focused = document.activeElement
  if (focused && focused !== document.body && root.dataset.page === 'list') return focused.blur()
  if (focused === find('search')) return focused.blur()
  if (root.dataset.page === 'story') find('back').click()
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  '/': () => find('search').select(),
  '?': () => help.showModal(),
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help.open) return
  if (event.key === 'Escape') return escape()
  const typing = event.target instanceof Element && event.target.closest('input, textarea, select')
  const act = KEYS[event.key]
  if (typing || !act || !switched.checked) return
  event.preventDefault()
  act()
})

localize(document)
connect()
