/** What channels have reserved, as it stands: single ones, and the list. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, parseQuantity, type Quantity } from '#platform/quantity.ts'
import type { Allocation } from '../contract.ts'
import type { ChannelReservation, ReservationAnswer, ReservedLine } from '../contract/reservations.ts'

const COLUMNS = `id, company, client, partner, channel, reference, class, priority, kind, expires_at as "expiresAt", version,
  created_at as "createdAt", ended_at as "endedAt"`

const headers = sql(
  'inventory.channel_reservations',
  `select ${COLUMNS} from inventory.channel_reservation where id = any($1::bigint[]) order by id`,
)
const lines = sql(
  'inventory.channel_reservation_lines',
  `select reservation_id as reservation, n, line, item_id as "itemId", sku, base_unit as "baseUnit", requested, unit, wanted,
     granted, open, committed, released, expired
   from inventory.channel_reservation_line where reservation_id = any($1::bigint[]) order by reservation_id, n`,
)
const claims = sql(
  'inventory.channel_claims',
  `select reservation_id as reservation, n, location, quantity, allocations, portions::text[] as portions
   from inventory.channel_claim
   where reservation_id = any($1::bigint[]) order by reservation_id, n, location`,
)

type Header = Omit<ChannelReservation, 'lines'>
type LineRow = Omit<ReservedLine, 'places'> & { readonly reservation: number }
type ClaimRow = {
  readonly reservation: number
  readonly n: number
  readonly location: string
  readonly quantity: Quantity
  readonly allocations: readonly string[]
  readonly portions: readonly string[]
}

/** By number; what is unknown is absent. */
export async function channelReservations(
  queries: Queries,
  ids: readonly number[],
): Promise<ReadonlyMap<number, ChannelReservation>> {
  if (ids.length === 0) return new Map()
  return withLines(queries, await queries.query<Header>(headers, [ids]))
}

const placeOf = ({ location, quantity, allocations, portions }: ClaimRow): Allocation => ({
  location,
  quantity,
  from: allocations.map((id, at) => ({ id: Number(id), quantity: parseQuantity(portions[at]!) })),
})

async function withLines(
  queries: Queries,
  found: readonly Header[],
): Promise<ReadonlyMap<number, ChannelReservation>> {
  const ids = found.map(({ id }) => id)
  const [lineRows, claimRows] = await Promise.all([
    queries.query<LineRow>(lines, [ids]),
    queries.query<ClaimRow>(claims, [ids]),
  ])
  const placesOf = Map.groupBy(claimRows, ({ reservation, n }) => `${reservation} ${n}`)
  const linesOf = Map.groupBy(lineRows, ({ reservation }) => reservation)
  return new Map(
    found.map((header) => {
      const own = (linesOf.get(header.id) ?? []).map(({ reservation, ...line }) => ({
        ...line,
        places: (placesOf.get(`${reservation} ${line.n}`) ?? []).map(placeOf),
      }))
      return [header.id, { ...header, lines: own }]
    }),
  )
}

const FILTERED = `($2::text is null or company = $2) and ($3::text is null or channel = $3) and ($4::text is null or partner = $4)
     and ($5::text is null or exists (
       select from inventory.channel_reservation_line l where l.reservation_id = r.id and l.sku = $5 offset 0))`

const newest = sql(
  'inventory.list_channel_reservations',
  `select ${COLUMNS} from inventory.channel_reservation r
   where id < coalesce($1::bigint, 9223372036854775807) and ${FILTERED} and ($6::boolean is null or ended_at is not null)
   order by id desc limit $7`,
)
const newestOpen = sql(
  'inventory.list_open_channel_reservations',
  `select ${COLUMNS} from inventory.channel_reservation r
   where id < coalesce($1::bigint, 9223372036854775807) and ended_at is null and ${FILTERED} and $6::boolean is null
   order by id desc limit $7`,
)

export type ReservationFilter = {
  readonly company?: string | undefined
  readonly channel?: string | undefined
  readonly partner?: string | undefined
  readonly sku?: string | undefined
  readonly state?: 'open' | 'ended' | undefined
}

/** The newest first, after the one where the page before ended. */
export async function listChannelReservations(
  queries: Queries,
  { company, channel, partner, sku, state }: ReservationFilter,
  after: number | undefined,
  limit: number,
): Promise<ChannelReservation[]> {
  const found = await queries.query<Header>(state === 'open' ? newestOpen : newest, [
    after ?? null,
    company ?? null,
    channel ?? null,
    partner ?? null,
    sku ?? null,
    state === 'ended' ? true : null,
    limit,
  ])
  return [...(await withLines(queries, found)).values()]
}

const anyDue = sql(
  'inventory.any_reservation_due',
  `select expires_at from inventory.channel_reservation
   where expires_at <= now() and ended_at is null and expires_at is not null order by expires_at limit 1`,
)

/** Whether the time of a soft reservation has come that nobody has ended. */
export const isAnyDue = async (queries: Queries): Promise<boolean> => (await queries.query(anyDue)).length > 0

/** Whether it may be seen: staff see every one, a partner what it reserved itself. */
export const isPartners = (
  { partner }: Pick<ChannelReservation, 'partner'>,
  caller: string | undefined,
): boolean => caller === undefined || partner === caller

/** As its caller is told. */
export function tellReservation(
  { lines: rows, expiresAt, createdAt, endedAt, ...reservation }: ChannelReservation,
  numberOf: (id: number) => string,
): ReservationAnswer {
  const { company, channel, reference, kind, priority, version } = reservation
  return {
    id: numberOf(reservation.id),
    company,
    channel,
    reference,
    kind,
    class: reservation.class,
    priority,
    state: rows.some(({ open }) => open > 0) ? 'open' : 'ended',
    ...(expiresAt === null ? {} : { expiresAt: expiresAt.toISOString() }),
    createdAt: createdAt.toISOString(),
    ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }),
    version,
    lines: rows.map(tellLine),
  }
}

const tellLine = ({
  line,
  sku,
  unit,
  baseUnit,
  ...row
}: ReservedLine): ReservationAnswer['lines'][number] => ({
  line,
  sku,
  requested: formatQuantity(row.requested),
  unit,
  baseUnit,
  granted: formatQuantity(row.granted),
  open: formatQuantity(row.open),
  committed: formatQuantity(row.committed),
  released: formatQuantity(row.released),
  expired: formatQuantity(row.expired),
  places: row.places.map(({ location, quantity }) => ({ location, open: formatQuantity(quantity) })),
})
