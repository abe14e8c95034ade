/** Bugs of who gets what there is too little of: by backorder runs, and of what lives long enough, from where profiles say. */
import type { Bug } from './bug.ts'

const RUN = 'src/processes/backorder-runs.ts'
const RUNS = { kinds: [], stock: ['runs'], orders: 2 } as const
const SILENT_RUNS = { kinds: [], stock: ['runs', 'silence'], programs: ['all'], orders: 1 } as const

const SOURCED = { kinds: [], stock: ['profiles'], orders: 1 } as const
const LIVES = { kinds: [], stock: ['lives'], orders: 1 } as const

export const CONTEST_BUGS: readonly Bug[] = [
  {
    name: 'a run does what was shown though a line has changed',
    file: RUN,
    find: 'if (line.reserved !== reserved || line.backordered !== backordered)',
    replace: 'if (line.reserved < reserved && line.backordered < backordered)',
    // What is to come comes while somebody thinks it over.
    world: { ...RUNS, drowsy: [1, 1], withinMs: 600, peaceAfterMs: 1_500 },
  },
  {
    name: 'a run finds that something changed where nothing has',
    file: RUN,
    find: 'if (line.reserved !== reserved || line.backordered !== backordered)',
    replace: 'if (line.reserved !== reserved || line.backordered !== quantity)',
    world: RUNS,
  },
  {
    name: 'who loses to a run is not told of all',
    file: RUN,
    find: 'data: { ...data, lines: [...new Set(own.map(({ line }) => line))] },',
    replace: 'data: { ...data, lines: [...new Set(own.slice(1).map(({ line }) => line))] },',
    world: RUNS,
  },
  {
    name: 'a run is started again',
    file: 'src/domains/inventory/store/backorder-runs.ts',
    find: `where id = $1 and state = 'planned' returning company`,
    replace: `where id = $1 and state <> 'ended' returning company`,
    world: RUNS,
  },
  {
    name: 'a run gives of a silent place as of others',
    file: RUN,
    find: '  if (care) stock.beCareful(care.figure)\n',
    replace: '',
    world: SILENT_RUNS,
  },
  {
    name: 'what a run gives of a silent place is not marked',
    file: RUN,
    find: 'if (books.care) {',
    replace: 'if (books.care && moves.length === 0) {',
    world: SILENT_RUNS,
  },
  {
    name: 'what one keeps who wants goods to live long is promised to another',
    file: 'src/domains/inventory/rules/shelf-life.ts',
    find: 'living(lots, limit) - living(claims, limit)',
    replace: 'living(lots, limit) - 0 * living(claims, limit)',
    world: LIVES,
  },
  {
    name: 'a warehouse is not told how long goods are to live',
    file: 'src/processes/requested-lots.ts',
    find: 'const minimumExpiry = days === null ? undefined : expiringFrom(today, days)',
    replace: 'const minimumExpiry = days === null ? undefined : expiringFrom(today, 0)',
    world: LIVES,
  },
  {
    name: 'an older version of a sourcing profile decides',
    file: 'src/domains/inventory/store/sourcing.ts',
    find: 'order by company, name, effective_from desc, version desc`',
    replace: 'order by company, name, effective_from, version`',
    world: SOURCED,
  },
  {
    name: 'an order is split once more than its profile allows',
    file: 'src/domains/inventory/rules/sourcing.ts',
    find: '? 1 : rules.maxSplits + 1',
    replace: '? 1 : rules.maxSplits + 2',
    world: SOURCED,
  },
]
