/**
 * A TCP proxy that behaves as a bad network does. One fault at a time strikes every connection, old and new, until it
 * is taken away. What it has broken is then reset, unless it is `forgotten`: then the connection stays silent for ever,
 * as behind a firewall that lost its table.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProxyFault =
  /** Each piece, either way, comes later by so much; pieces keep their order. */
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs: number }
  /** Connections are reset, and who comes is reset as well. */
  | { readonly kind: 'reset' }
  /** So many connections are reset in the middle of an answer: at its byte `atByte`. */
  | { readonly kind: 'reset-at-byte'; readonly atByte: number; readonly times: number }
  /** The other end is gone, and nobody says so. */
  | { readonly kind: 'half-open'; readonly forgotten?: boolean }
  /** What goes this way vanishes; the other way works. */
  | { readonly kind: 'black-hole'; readonly way: Way; readonly forgotten?: boolean }
  /** So many requests arrive and are done, and the connection breaks instead of the answer. */
  | { readonly kind: 'cut-after-request'; readonly times: number }

export type FaultKind = ProxyFault['kind']
/** `there` is from who calls to who is called. */
export type Way = 'there' | 'back'

export type FaultProxy = {
  readonly port: number
  /** Puts this fault in the place of the one before; undefined: the network is well. */
  set(fault: ProxyFault | undefined): void
  /** How many connections each kind has struck. */
  readonly struck: Readonly<Partial<Record<FaultKind, number>>>
  end(): Promise<void>
}

export type ProxyOptions = {
  /** Where the next connection leads; undefined: nobody is there, and who comes is reset. */
  readonly target: () => number | undefined
  /** Decides about jitter. */
  readonly random: () => number
}

type Line = {
  readonly near: Socket
  readonly far: Socket
  /** A piece of it is lost, or its other end: it can only be reset. */
  broken: boolean
  /** It is never reset. */
  forgotten: boolean
  /** Bytes of the answer that is under way; 0 once the other side has spoken. */
  answered: number
  /** The fault that has struck it last, so that each counts once. */
  struckBy: ProxyFault | undefined
}

const HOST = '127.0.0.1'

export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const network = new Network(options.random)
  const server = createServer({ noDelay: true }, (near) => {
    const port = options.target()
    if (port === undefined) return void near.on('error', ignore).resetAndDestroy()
    network.open(near, connect({ port, host: HOST, noDelay: true }))
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    set: (fault) => network.set(fault),
    struck: network.struck,
    async end() {
      server.close()
      network.resetAll()
      await once(server, 'close')
    },
  }
}

const ignore = (): void => undefined

class Network {
  readonly struck: Partial<Record<FaultKind, number>> = {}
  readonly #lines = new Set<Line>()
  readonly #random: () => number
  #fault: ProxyFault | undefined
  #timesLeft = 0

  constructor(random: () => number) {
    this.#random = random
  }

  set(fault: ProxyFault | undefined): void {
    const isForgotten = this.#fault && 'forgotten' in this.#fault && this.#fault.forgotten
    for (const line of this.#lines)
      if (line.broken && !line.forgotten) {
        if (isForgotten) line.forgotten = true
        else this.#reset(line)
      }
    this.#fault = fault
    this.#timesLeft = fault && 'times' in fault ? fault.times : Infinity
    if (fault?.kind === 'reset' || fault?.kind === 'half-open')
      for (const line of this.#lines) this.#strikeWhole(line, fault)
  }

  open(near: Socket, far: Socket): void {
    const line: Line = { near, far, broken: false, forgotten: false, answered: 0, struckBy: undefined }
    this.#lines.add(line)
    const fault = this.#fault
    if (fault?.kind === 'reset' || fault?.kind === 'half-open') this.#strikeWhole(line, fault)
    void this.#pump(line, 'there')
    void this.#pump(line, 'back')
    far.on('error', () => line.broken || this.#reset(line))
    near.on('error', () => this.#reset(line))
    near.once('close', () => this.#reset(line))
  }

  resetAll(): void {
    for (const line of this.#lines) this.#reset(line)
  }

  /** Reset goes both ways at once; half-open tells one side only. */
  #strikeWhole(line: Line, fault: ProxyFault): void {
    this.#count(line, fault)
    if (fault.kind === 'reset') return this.#reset(line)
    line.broken = true
    line.far.destroy()
  }

  async #pump(line: Line, way: Way): Promise<void> {
    const [from, to] = way === 'there' ? [line.near, line.far] : [line.far, line.near]
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const passed = await this.#through(line, way, piece)
        if (passed.length > 0 && !to.destroyed && !to.write(passed)) await drained(to)
      }
      if (!line.broken) to.end()
    } catch {
      if (!line.broken) this.#reset(line)
    }
  }

  /** What is left of a piece when the fault of this moment is done with it. */
  async #through(line: Line, way: Way, piece: Buffer): Promise<Buffer> {
    const fault = this.#fault
    const begins = line.answered === 0
    const before = line.answered
    line.answered = way === 'there' ? 0 : before + piece.length
    if (line.broken) return NOTHING
    if (!fault) return piece
    switch (fault.kind) {
      case 'latency':
        this.#count(line, fault)
        await sleep(fault.ms + fault.jitterMs * this.#random())
        return line.broken ? NOTHING : piece
      case 'black-hole':
        if (way !== fault.way) return piece
        this.#count(line, fault)
        line.broken = true
        return NOTHING
      case 'cut-after-request':
        if (way === 'there' || !begins || !this.#takeTurn()) return piece
        this.#count(line, fault)
        this.#reset(line)
        return NOTHING
      case 'reset-at-byte':
        if (way === 'there' || line.answered <= fault.atByte || before > fault.atByte || !this.#takeTurn())
          return piece
        this.#count(line, fault)
        return this.#breakAt(line, piece.subarray(0, fault.atByte - before))
      case 'reset':
      case 'half-open':
        // They have struck the whole connection already.
        return NOTHING
    }
  }

  #breakAt(line: Line, rest: Buffer): Buffer {
    line.broken = true
    line.near.write(rest, () => this.#reset(line))
    return NOTHING
  }

  #takeTurn(): boolean {
    return this.#timesLeft-- > 0
  }

  #count(line: Line, fault: ProxyFault): void {
    if (line.struckBy === fault) return
    line.struckBy = fault
    this.struck[fault.kind] = (this.struck[fault.kind] ?? 0) + 1
  }

  #reset(line: Line): void {
    if (!this.#lines.delete(line)) return
    line.broken = true
    line.near.resetAndDestroy()
    line.far.resetAndDestroy()
  }
}

const NOTHING = Buffer.alloc(0)

/** Resolves also when the socket ends, which whoever writes to it notices. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}
