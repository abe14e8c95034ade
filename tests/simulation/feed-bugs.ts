/** Bugs of what is told of stock by other ways than the messages of warehouses: by paper, by files. */
import type { Bug } from './bug.ts'

/** The eastern warehouse tells by files, which overtake each other. */
const FILES = {
  kinds: ['file-lost', 'file-late', 'file-twice'],
  shares: { 'file-lost': 0.3, 'file-late': 0.4, 'file-twice': 0.3 },
  stock: ['files'],
  orders: 1,
} as const
const PAPERS = { kinds: [], stock: ['papers'], orders: 3, cancels: 0 } as const

export const FEED_BUGS: readonly Bug[] = [
  {
    name: 'what left by paper leaves again when its warehouse tells of it',
    file: 'src/processes/known-by-hand.ts',
    find: 'rest: told.quantity - sum(known),',
    replace: 'rest: told.quantity - 0 * sum(known),',
    world: PAPERS,
  },
  {
    name: 'what was counted by paper is counted again when its warehouse tells of it',
    file: 'src/domains/inventory/rules/by-hand.ts',
    find: 'beyond: same.booked ? 0 : told,',
    replace: 'beyond: told,',
    world: PAPERS,
  },
  {
    name: 'a count that was told while it waited is booked again when it is approved',
    file: 'src/processes/stock-by-hand.ts',
    find: 'adjustment.lines.filter((line) => !isTold(line))',
    replace: 'adjustment.lines.filter((line) => !isTold(line) || line)',
    world: PAPERS,
  },
  {
    name: 'nobody is told what a warehouse shipped otherwise than its paper says',
    file: 'src/processes/hand-telling.ts',
    find: 'if (differs.length === 0) return []',
    replace: 'if (differs.length >= 0) return []',
    world: PAPERS,
  },
  {
    name: 'a pick by paper is open after its warehouse has shipped',
    file: 'src/processes/hand-telling.ts',
    find: 'if (ended.length === 0 && hand.told',
    replace: 'if (hand.told',
    world: { ...PAPERS, orders: 6 },
  },
  {
    name: 'a file of stock is booked again under another name',
    file: 'src/domains/inventory/rules/feeds.ts',
    find: `return 'repeated'`,
    replace: `return 'due'`,
    world: FILES,
  },
  {
    name: 'nobody is told of a line that cannot be taken',
    file: 'src/app-stock-files.ts',
    find: '    await database.transaction((tx) => openExceptions(tx, [refusedOf(source, name, refused)]))\n',
    replace: '',
    world: { ...FILES, kinds: ['line-bad'], shares: { 'line-bad': 0.5 } },
  },
  {
    name: 'what a whole count does not name is gone, though it has lines that nobody understood',
    file: 'src/processes/reconciliation-given.ts',
    find: `told.unread?.length ? 'items' : told.snapshot.scope`,
    replace: 'told.snapshot.scope',
    world: { ...FILES, kinds: ['line-bad'], shares: { 'line-bad': 0.5 } },
  },
  {
    name: 'a count by file that is late takes the place of a newer one',
    file: 'src/domains/inventory/rules/feeds.ts',
    find: 'return mark <= contained.mark',
    replace: 'return mark <= contained.mark && mark < 0',
    world: FILES,
  },
  {
    name: 'what another source of a place has counted is booked again',
    file: 'src/domains/inventory/counted.ts',
    find: 'countedAt !== null && at <= countedAt',
    replace: 'countedAt !== null && at < countedAt && at > countedAt',
    world: { ...FILES, kinds: ['zombie', 'file-late'], stock: ['counts', 'files'] },
  },
]
