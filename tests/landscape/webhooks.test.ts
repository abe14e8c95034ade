/** Deliveries: retried until taken, and badly behaved on demand. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { faultBoard, type Fault } from '#landscape/faults.ts'
import { httpPost, webhooks, type Delivery } from '#landscape/webhooks.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { mailbox } from './bench.ts'

const delivery = (id: string): Delivery => ({
  id,
  topic: 'events',
  body: id,
  sign: (now) => ({ at: now.toISOString() }),
})

function desk(fault?: Fault, answer?: (nth: number) => number) {
  const clock = fakeClock()
  const faults = faultBoard(clock, 's', 'wms')
  if (fault) faults.set(fault)
  const { post, sent } = mailbox(answer)
  const hooks = webhooks({ clock, seed: 's', faults, post, url: 'http://us' })
  const bodies = (): string[] => sent.map((one) => one.body)
  return { clock, hooks, bodies, sent }
}

describe('webhooks', () => {
  it('wait for an address', async () => {
    const clock = fakeClock()
    const { post, sent } = mailbox()
    const hooks = webhooks({ clock, seed: 's', faults: faultBoard(clock, 's', 'wms'), post })
    hooks.send(delivery('a'))
    await clock.settle()
    expect([sent.length, hooks.truth().queued]).toEqual([0, 1])
    hooks.deliverTo('http://us')
    await clock.settle()
    expect([sent.length, hooks.truth().delivered]).toEqual([1, 1])
  })

  it('are retried with growing pauses until they are taken, signed anew', async () => {
    const { clock, hooks, bodies, sent } = desk(undefined, (nth) => (nth < 2 ? 503 : 204))
    hooks.send(delivery('a'))
    await clock.advance(300)
    expect(bodies()).toEqual(['a'])
    await clock.advance(10_000)
    expect(bodies()).toEqual(['a', 'a', 'a'])
    expect(new Set(sent.map((one) => one.headers['at'])).size).toBe(3)
    expect(hooks.truth()).toMatchObject({ delivered: 1, retried: 2, queued: 0 })
  })

  it('are tried at once when somebody asks for it, and no second time when their own time comes', async () => {
    const { clock, hooks, bodies } = desk(undefined, (nth) => (nth < 4 ? 503 : 204))
    hooks.send(delivery('a'))
    await clock.advance(13_000)
    expect(bodies()).toHaveLength(4)
    hooks.redeliver()
    hooks.redeliver()
    await clock.settle()
    expect([bodies().length, hooks.truth().delivered]).toEqual([5, 1])
    await clock.advance(3_600_000)
    expect(bodies()).toHaveLength(5)
  })

  it('use up none of their attempts when somebody asks for them', async () => {
    const { clock, hooks, bodies } = desk(undefined, () => 500)
    hooks.send(delivery('a'))
    for (let asked = 0; asked < 20; asked++) {
      await clock.settle()
      hooks.redeliver()
    }
    await clock.settle()
    expect([bodies().length, hooks.truth().givenUp]).toEqual([21, 0])
    await clock.advance(3_600_000)
    expect([bodies().length, hooks.truth().givenUp]).toEqual([27, 1])
  })

  it('are given up at last', async () => {
    const { clock, hooks, bodies } = desk(undefined, () => 500)
    hooks.send(delivery('a'))
    await clock.advance(3_600_000)
    expect(bodies()).toHaveLength(7)
    expect(hooks.truth()).toMatchObject({ givenUp: 1, queued: 0 })
  })

  it('come twice, late, never or stale on demand', async () => {
    const twice = desk({ kind: 'webhook-duplicate' })
    twice.hooks.send(delivery('a'))
    await twice.clock.settle()
    expect(twice.bodies()).toEqual(['a', 'a'])

    const late = desk({ kind: 'webhook-delay', ms: 1_000, times: 1 })
    late.hooks.send(delivery('a'))
    late.hooks.send(delivery('b'))
    await late.clock.advance(1_000)
    expect(late.bodies()).toEqual(['b', 'a'])

    const never = desk({ kind: 'webhook-drop', times: 1 })
    never.hooks.send(delivery('a'))
    never.hooks.send(delivery('b'))
    await never.clock.settle()
    expect([never.bodies(), never.hooks.truth().dropped]).toEqual([['b'], 1])

    const stale = desk({ kind: 'webhook-stale', ms: 1_000, times: 1 })
    stale.hooks.send(delivery('a'))
    stale.hooks.send(delivery('b'))
    await stale.clock.advance(1_000)
    expect(stale.bodies()).toEqual(['a', 'b', 'a'])
  })

  it('leave in another order on demand, none of them lost', async () => {
    const { clock, hooks, bodies } = desk({ kind: 'webhook-reorder', window: 8 })
    const ids = Array.from({ length: 12 }, (_, n) => `e${String(n).padStart(2, '0')}`)
    for (const id of ids) hooks.send(delivery(id))
    await clock.advance(100)
    expect(bodies().toSorted()).toEqual(ids)
    expect(bodies()).not.toEqual(ids)
  })

  it('are posted over HTTP and count as lost when nobody answers', async () => {
    const seen: string[] = []
    const server = http.createServer((request, response) => {
      request.on('data', (chunk: Buffer) => seen.push(String(chunk)))
      request.on('end', () => response.writeHead(202).end())
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
    const { post, close } = httpPost()
    expect([await post(url, {}, 'body'), seen]).toEqual([202, ['body']])
    server.closeAllConnections()
    await new Promise((resolve) => void server.close(resolve))
    await expect(post(url, {}, 'body')).rejects.toThrow(/ECONNREFUSED|socket hang up/)
    close()
  })
})
