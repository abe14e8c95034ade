/** A house and how its clients call it: orders of the world by their case, and answers read as JSON. */
import type { WorldOrder } from '#landscape/world/world.ts'
import { createKey, type NewKey } from '#platform/access-keys.ts'
import { databaseIds } from '#platform/ids.ts'
import { toOrderRequest } from '../../src/demo.ts'
import { type House, type HouseOptions, openHouse } from '#tests/support/house.ts'

export const O2C = '/process/order-to-cash/v1'

export type Reply = {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown> & { readonly code: string; readonly id: string }
}

export type FrontDoor = House & {
  /** Sends JSON; a POST under a key of its own unless one is given. */
  send(method: 'GET' | 'POST', path: string, options?: Options): Promise<Reply>
  /** The next order of the world of this kind that has not been sent. */
  next(wanted: (order: WorldOrder) => boolean): WorldOrder
  submit(order: WorldOrder, options?: Options): Promise<Reply>
  /** An API key's text. */
  key(key: NewKey): Promise<string>
}

type Options = {
  readonly body?: unknown
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

export async function openFrontDoor(options: HouseOptions = {}): Promise<FrontDoor> {
  const house = await openHouse(options)
  const orders = house.landscape.world.orders(200)
  let keys = 0

  async function send(
    method: 'GET' | 'POST',
    path: string,
    { body, key, headers }: Options = {},
  ): Promise<Reply> {
    keys += 1
    const response = await fetch(house.url + path, {
      method,
      headers: {
        ...(method === 'POST'
          ? { 'content-type': 'application/json', 'idempotency-key': key ?? `key-${keys}` }
          : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer = JSON.parse(text === '' ? '{}' : text) as Reply['body']
    return { status: response.status, headers: response.headers, body: answer }
  }

  return {
    ...house,
    send,
    next(wanted) {
      const place = orders.findIndex(wanted)
      if (place < 0) throw new Error('the world has no such order left')
      return orders.splice(place, 1)[0]!
    },
    submit: (order, more) => send('POST', `${O2C}/orders`, { body: toOrderRequest(order), ...more }),
    key: (key) => createKey(house.app.database, databaseIds(house.app.database), key),
  }
}

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

export const shipsAtOnce = ({ case: planted, expected }: WorldOrder): boolean =>
  planted === 'regular' && expected === 'ships_at_once'
export const isHeld = ({ expected }: WorldOrder): boolean => expected.startsWith('held_')
export const isPriceHeld = ({ expected }: WorldOrder): boolean => expected === 'held_price'
