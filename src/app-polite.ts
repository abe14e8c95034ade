/** Whatever we ask systems beside the calls that we owe them is asked under the policy of those calls. */
import type { CarrierReader } from '#capabilities/carrier.ts'
import type { ErpBooks, ErpReader } from '#capabilities/erp.ts'
import type { WmsReader } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { readUnderGate, type ReadingGate } from '#platform/reading-gate.ts'
import type { Worker } from '#platform/worker.ts'

/** Page by page. */
export function politeReader(reader: ErpReader & ErpBooks, under: ReadingGate): ErpReader & ErpBooks {
  return {
    instance: reader.instance,
    customers: (request) => readUnderGate(under, () => reader.customers(request)),
    items: (request) => readUnderGate(under, () => reader.items(request)),
    prices: (request) => readUnderGate(under, () => reader.prices(request)),
    stock: (request) => readUnderGate(under, () => reader.stock(request)),
    supply: (request) => readUnderGate(under, () => reader.supply(request)),
    openOrders: (request) => readUnderGate(under, () => reader.openOrders(request)),
    referencesMax: reader.referencesMax,
    standing: (kind, references) => readUnderGate(under, () => reader.standing(kind, references)),
    credit: (customer) => readUnderGate(under, () => reader.credit(customer)),
  }
}

type Wires = { readonly worker: Worker; readonly ports: { readonly clock: Clock } }

/** Asks only while this process has a life, which alone knows the policies. */
export function politeDoors<Message>(
  doors: ReadonlyMap<string, InboundDoor<Message>>,
  wires: Wires,
): ReadonlyMap<string, InboundDoor<Message>> {
  return new Map([...doors].map(([system, door]) => [system, politeDoor(door, wires)]))
}

function politeDoor<Message>(door: InboundDoor<Message>, wires: Wires): InboundDoor<Message> {
  const ask = askingOf(door.instance, wires)
  return {
    ...door,
    ...(door.askAgain && { askAgain: (gaps) => ask(() => door.askAgain!(gaps)) }),
    ...(door.changedSince && { changedSince: (since) => pageByPage(door.changedSince!(since), ask) }),
  }
}

const askingOf =
  (system: string, { worker, ports }: Wires) =>
  <T>(read: () => Promise<T>): Promise<T> =>
    worker.life
      ? readUnderGate({ system, gate: worker.life.policies.gate(system), clock: ports.clock }, read)
      : read()

export function politeTracker(reader: CarrierReader, wires: Wires): CarrierReader {
  const ask = askingOf(reader.instance, wires)
  return { ...reader, track: (tracking) => ask(() => reader.track(tracking)) }
}

export function politeCounter(reader: WmsReader, wires: Wires): WmsReader {
  const ask = askingOf(reader.instance, wires)
  return {
    instance: reader.instance,
    stockSnapshot: (place) => ask(() => reader.stockSnapshot(place)),
    stockAgain: (place, missing) => ask(() => reader.stockAgain(place, missing)),
    openOrders: (company, request) => ask(() => reader.openOrders(company, request)),
  }
}

async function* pageByPage<Page>(
  pages: AsyncIterable<Page>,
  ask: <T>(read: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Page> {
  const iterator = pages[Symbol.asyncIterator]()
  for (;;) {
    const next = await ask(() => iterator.next())
    if (next.done) return
    yield next.value
  }
}
