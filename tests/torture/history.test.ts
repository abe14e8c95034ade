/** The history checker: a good history has no anomaly, and each planted one is found, with its documents. */
import { describe, expect, test } from 'vitest'
import { checkHistory, type Entry, type Evidence, type KnownOrder } from './history.ts'

const entry = (kind: Entry['kind'], over: Partial<Entry> = {}): Entry => ({
  atMs: 0,
  call: 0,
  operation: 'submit',
  kind,
  key: 'key-1',
  subject: 'NWF 1001 PO-1',
  ...over,
})

const accepted = (over: Partial<Entry> = {}): Entry => entry('ok', { status: 201, id: 'O-1', ...over })

/** By a shop, which only hears whether we have it. */
const tell = (kind: Entry['kind'], over: Partial<Entry> = {}): Entry =>
  entry(kind, { operation: 'tell', ...over })

const known = (over: Partial<KnownOrder> = {}): KnownOrder => ({
  id: 'O-1',
  subject: 'NWF 1001 PO-1',
  state: 'closed',
  cancelRequested: false,
  ...over,
})

const evidence = (over: Partial<Evidence> = {}): Evidence => ({
  log: [entry('invoke'), accepted()],
  orders: [known()],
  refused: [],
  versions: [],
  books: [],
  ...over,
})

const kindsOf = (over: Partial<Evidence>): [string, readonly string[]][] =>
  checkHistory(evidence(over)).map(({ kind, documents }) => [kind, documents])

describe('a history is good', () => {
  const other = { key: 'key-2', subject: 'NWF 1001 PO-2' }
  test.each<[string, Partial<Evidence>]>([
    ['of an acknowledged order that is there', {}],
    [
      'of the same answer to a repetition',
      { log: [entry('invoke'), entry('info'), accepted({ call: 1 }), accepted({ call: 2 })] },
    ],
    [
      'of one document under two keys that is one order',
      { log: [accepted(), accepted({ key: 'key-2', status: 200 })] },
    ],
    ['of an unanswered order that is there', { log: [entry('invoke'), entry('info')] }],
    ['of an unanswered order that is not there', { log: [entry('invoke'), entry('info')], orders: [] }],
    [
      'of a refused order that is not there',
      {
        log: [
          accepted(),
          entry('invoke', other),
          entry('fail', { ...other, code: 'orders.customer_unknown' }),
        ],
      },
    ],
    [
      'of a changed copy that was refused while the first was never answered',
      {
        log: [
          entry('invoke'),
          entry('info'),
          entry('fail', { key: 'key-2', code: 'orders.same_number_other_content' }),
        ],
      },
    ],
    [
      'of an acknowledged cancellation that is recorded',
      {
        log: [accepted(), entry('ok', { operation: 'cancel', key: 'cancel', subject: 'O-1', id: 'O-1' })],
        orders: [known({ cancelRequested: true })],
      },
    ],
    [
      'of a cancellation that was never answered and is recorded',
      {
        log: [accepted(), entry('info', { operation: 'cancel', key: 'cancel', subject: 'O-1' })],
        orders: [known({ cancelRequested: true })],
      },
    ],
    [
      'of a shop order that was taken at the second attempt and is there',
      { log: [tell('invoke'), tell('info'), tell('invoke'), tell('ok')] },
    ],
    ['of a shop order that is there although its shop has heard nothing', { log: [tell('invoke')] }],
    ['of a shop order that is there although its shop has given up', { log: [tell('given-up')] }],
    [
      'of a shop order that was taken and cannot be sold, as somebody knows',
      { log: [tell('ok')], orders: [], refused: ['NWF 1001 PO-1'] },
    ],
    ['of an order that is held, waits, or is owned', { orders: [known({ state: 'owned' })] }],
    [
      'of versions that are their events',
      { versions: [{ document: 'order 1', version: 3, events: 3, first: 1, last: 3 }] },
    ],
    [
      'of books that agree',
      {
        books: [
          {
            documents: 'invoices',
            ours: [{ reference: 'I-1', says: '10.00' }],
            theirs: [{ reference: 'I-1', says: '10.00' }],
          },
        ],
      },
    ],
  ])('%s', (_, over) => expect(kindsOf(over)).toEqual([]))
})

describe('it finds', () => {
  test.each<[string, Partial<Evidence>, [string, readonly string[]][]]>([
    ['an acknowledged order that is lost', { orders: [] }, [['an acknowledged order is lost', ['O-1']]]],
    [
      'an acknowledged order that is there under another number',
      { orders: [known({ id: 'O-2' })] },
      [['an acknowledged order is lost', ['O-1']]],
    ],
    [
      'an order that is there twice',
      { orders: [known(), known({ id: 'O-2' })] },
      [['an order is there twice', ['O-1', 'O-2']]],
    ],
    [
      'one document that was acknowledged as two orders, under two keys',
      { log: [accepted(), accepted({ key: 'key-2', id: 'O-2' })], orders: [known(), known({ id: 'O-2' })] },
      [
        ['one document was acknowledged as several', ['O-1', 'O-2']],
        ['an order is there twice', ['O-1', 'O-2']],
      ],
    ],
    [
      'a shop order that was taken and is not there',
      { log: [tell('ok'), tell('ok')], orders: [] },
      [['an order that its teller was told is taken is lost', ['key-1']]],
    ],
    [
      'a shop order that nobody asked for when its shop had given up',
      { log: [tell('info'), tell('given-up')], orders: [] },
      [['an order of which its shop tells no more was not asked for', ['key-1']]],
    ],
    [
      'a shop order that is there twice',
      { log: [tell('ok')], orders: [known(), known({ id: 'O-2' })] },
      [['an order is there twice', ['O-1', 'O-2']]],
    ],
    [
      'two answers to one key',
      { log: [accepted(), entry('fail', { code: 'orders.customer_unknown' })] },
      [['one key had several results', ['O-1']]],
    ],
    [
      'a refused order that is there',
      { log: [entry('invoke'), entry('fail', { code: 'orders.customer_unknown' })] },
      [['a refused order is there', ['O-1']]],
    ],
    [
      'an order that nobody sent',
      { orders: [known(), known({ id: 'O-9', subject: 'NWF 1001 PO-9' })] },
      [['an order that nobody sent', ['O-9']]],
    ],
    [
      'an acknowledged cancellation that is forgotten',
      { log: [accepted(), entry('ok', { operation: 'cancel', key: 'cancel', subject: 'O-1' })] },
      [['an acknowledged cancellation is forgotten', ['O-1']]],
    ],
    [
      'a cancellation that nobody asked for',
      { orders: [known({ cancelRequested: true })] },
      [['a cancellation that nobody asked for', ['O-1']]],
    ],
    [
      'a document that is stuck and has no owner',
      { orders: [known({ state: 'stuck' })] },
      [['a document is stuck and nobody owns it', ['O-1']]],
    ],
    ...[
      { version: 3, events: 2, first: 1, last: 3 },
      { version: 3, events: 2, first: 2, last: 3 },
      { version: 4, events: 3, first: 1, last: 3 },
      { version: 1, events: 0, first: null, last: null },
    ].map((versions): [string, Partial<Evidence>, [string, string[]][]] => [
      `a gap between version ${versions.version} and ${versions.events} events from ${versions.first} to ${versions.last}`,
      { versions: [{ document: 'order 1', ...versions }] },
      [['versions of a document have a gap', ['order 1']]],
    ]),
    [
      'a document that is twice at its target',
      book(['I-1 10.00'], ['I-1 10.00', 'I-1 10.00']),
      [['twice at its target: invoices', ['I-1']]],
    ],
    [
      'a document that its target does not have',
      book(['I-1 10.00', 'I-2 5.00'], ['I-1 10.00']),
      [['only ours: invoices', ['I-2']]],
    ],
    ['a document that only its target has', book([], ['I-1 10.00']), [['only theirs: invoices', ['I-1']]]],
    [
      'a document that is a cent off at its target',
      book(['I-1 10.00'], ['I-1 10.01']),
      [['both sides differ: invoices', ['I-1']]],
    ],
  ])('%s', (_, over, found) => expect(kindsOf(over)).toEqual(found))
})

/** Each text is a reference and what is said of it. */
function book(ours: readonly string[], theirs: readonly string[]): Partial<Evidence> {
  const said = (texts: readonly string[]) =>
    texts.map((text) => ({ reference: text.split(' ')[0]!, says: text.split(' ')[1]! }))
  return { books: [{ documents: 'invoices', ours: said(ours), theirs: said(theirs) }] }
}
