/** Notices by LISTEN and NOTIFY: one connection of a process hears and tells, and comes back by itself. */
import { Client } from 'pg'
import type { Clock } from './clock.ts'
import { type Channel, CHANNELS, type Notices } from './notices.ts'

export type ListeningOptions = {
  readonly url: string
  readonly clock: Clock
  /** Once when word stops coming, and once when it comes again. */
  readonly onEvent: (message: string, facts: { readonly reason?: string }) => void
}

export interface Listening extends Notices {
  end(): Promise<void>
}

const TELL_EVERY_MS = 2
const RETRY_MS = 1_000
const CONNECT_TIMEOUT_MS = 10_000

export const openListening = (options: ListeningOptions): Listening => new PostgresListening(options)

class PostgresListening implements Listening {
  readonly #options: ListeningOptions
  readonly #hearers: { readonly channel: Channel; readonly heard: () => void }[] = []
  readonly #toTell = new Set<Channel>()
  readonly #telling = new Set<Channel>()
  readonly #stopping = new AbortController()
  readonly #stayed: Promise<void>
  /** Undefined while there is none. */
  #client: Client | undefined

  constructor(options: ListeningOptions) {
    this.#options = options
    this.#stayed = this.#stay()
  }

  on(channel: Channel, heard: () => void): void {
    this.#hearers.push({ channel, heard })
  }

  tell(channel: Channel): void {
    this.#toTell.add(channel)
    if (this.#telling.has(channel)) return
    this.#telling.add(channel)
    void this.#tellOn(channel)
  }

  async end(): Promise<void> {
    this.#stopping.abort()
    await this.#client?.end().catch(() => undefined)
    await this.#stayed
  }

  /** At once, and again after a moment for those who asked meanwhile. Without a connection the word is lost. */
  async #tellOn(channel: Channel): Promise<void> {
    while (this.#toTell.delete(channel)) {
      await this.#client?.query(`notify ${channel}`).catch(() => undefined)
      await this.#options.clock.sleep(TELL_EVERY_MS, this.#stopping.signal)
    }
    this.#telling.delete(channel)
  }

  async #stay(): Promise<void> {
    const { clock, onEvent } = this.#options
    let silent = false
    while (!this.#stopping.signal.aborted) {
      const reason = await this.#listen(() => {
        if (silent) onEvent('word of other processes comes again', {})
        silent = false
      })
      if (this.#stopping.signal.aborted) return
      if (!silent) onEvent('word of other processes does not come; polls find what they leave', { reason })
      silent = true
      await clock.sleep(RETRY_MS, this.#stopping.signal)
    }
  }

  /** Listens on a connection of its own until that breaks; answers why. */
  async #listen(onceListening: () => void): Promise<string> {
    const client = new Client({
      connectionString: this.#options.url,
      application_name: 'crossdock notices',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // A word is a transaction of its own that leaves nothing behind: nobody need wait for the disk.
      options: '-c synchronous_commit=off',
    })
    const { promise: lost, resolve: lose } = Promise.withResolvers<string>()
    client.on('error', (error) => lose(error.message))
    client.once('end', () => lose('the connection was closed'))
    client.on('notification', ({ channel, processId }) => {
      if (processId !== ownProcess(client)) this.#hear(channel)
    })
    try {
      await client.connect()
      await client.query(CHANNELS.map((channel) => `listen ${channel}`).join('; '))
      this.#client = client
      if (this.#stopping.signal.aborted) return 'stopped'
      onceListening()
      for (const channel of CHANNELS) this.#hear(channel)
      return await lost
    } catch (error) {
      return String(error)
    } finally {
      this.#client = undefined
      await client.end().catch(() => undefined)
    }
  }

  #hear(channel: string): void {
    for (const hearer of this.#hearers) if (hearer.channel === channel) hearer.heard()
  }
}

/** The number of the session at the server, which the driver's types leave out. */
const ownProcess = (client: Client): number => (client as Client & { processID: number }).processID
