/**
 * What a program asks of one session in one turn of its loop: one message there, one back. By itself the driver ends each
 * statement with a Sync, at which the server sends what it has, so that both wake each other once for each of them, and
 * has the rows of each described anew.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
import pg from 'pg'
import type { Result, Statement } from './database.ts'
import { wireText } from './wire-text.ts'

/** What `pg` keeps inside of a session. */
export type Wire = {
  readonly stream: { cork(): void; uncork(): void }
  /** By name, with their texts: what the server has prepared, and what it has been sent to prepare. */
  readonly parsedStatements: Record<string, string>
  readonly submittedNamedStatements: Record<string, string>
  parse(statement: Statement): void
  bind(bound: { statement: string; values: readonly unknown[] }): void
  describe(what: { type: 'P'; name: string }): void
  execute(what: object): void
  sync(): void
}

type Row = Record<string, unknown>
type Columns = {
  readonly parsers: readonly ((text: string) => unknown)[]
  readonly names: readonly string[]
  /** What rows are made from: a copy of what was parsed keeps its fields in one piece. */
  readonly blank: Row
}
/** By name of a prepared statement, whose columns never change: PostgreSQL refuses it when they would. */
export type KnownColumns = Map<string, Columns>

type Asked = {
  readonly statement: Statement
  /** Undefined until the server has described them. */
  columns: Columns | undefined
  readonly rows: Row[]
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

const NO_ROWS: Columns = { parsers: [], names: [], blank: {} }
const COMMAND = /^[A-Z]*/

/** The driver takes nothing else into a pipeline. */
const DriversQuery = pg.Query as unknown as new (question: object, done: () => void) => object

/**
 * Statements behind one that fails are not run, and fail with its error; without a transaction around them none of them
 * is done then.
 */
export class Journey extends DriversQuery {
  readonly #wire: Wire
  readonly #types: pg.CustomTypesConfig
  readonly #known: KnownColumns
  readonly #asked: Asked[] = []
  #answered = 0
  #unreadable: unknown
  /** The driver's own: ends its watch over a silent server. */
  declare callback: (error: unknown) => void

  constructor(wire: Wire, types: pg.CustomTypesConfig, known: KnownColumns) {
    super({ text: '' }, () => undefined)
    this.#wire = wire
    this.#types = types
    this.#known = known
  }

  /** Throws what keeps the values from being written; then nothing of it reaches the server. */
  ask(statement: Statement, values: readonly unknown[]): Promise<Result> {
    const wire = this.#wire
    const { name, text } = statement
    const written = values.map(wireText)
    if (!(name in wire.parsedStatements || name in wire.submittedNamedStatements)) {
      wire.parse(statement)
      wire.submittedNamedStatements[name] = text
    }
    wire.bind({ statement: name, values: written })
    const columns = this.#known.get(name)
    if (!columns) wire.describe({ type: 'P', name: '' })
    wire.execute({})
    return new Promise((resolve, reject) => {
      this.#asked.push({ statement, columns, rows: [], resolve, reject })
    })
  }

  // What the driver calls -----------------------------------------------------------------------------------------------

  /** Of the statement that is being answered: by it the driver remembers what is prepared. */
  get name(): string {
    return this.#asked[this.#answered]?.statement.name ?? ''
  }
  set name(_: string) {}

  get text(): string {
    return this.#asked[this.#answered]?.statement.text ?? ''
  }
  set text(_: string) {}

  /** It is written as it is asked. */
  submit(): null {
    return null
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    const names = fields.map(({ name }) => name)
    this.#describe({
      parsers: fields.map(({ dataTypeID }) => this.#types.getTypeParser(dataTypeID, 'text')),
      names,
      blank: JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as Row,
    })
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const { columns, rows } = this.#asked[this.#answered]!
    const { parsers, names, blank } = columns!
    const row = { ...blank }
    try {
      for (let at = 0; at < fields.length; at++) {
        const text = fields[at]!
        if (text !== null) row[names[at]!] = parsers[at]!(text)
      }
    } catch (error) {
      this.#unreadable ??= error
    }
    rows.push(row)
  }

  handleCommandComplete({ text }: { text: string }): void {
    if (!this.#asked[this.#answered]!.columns) this.#describe(NO_ROWS)
    const { rows, resolve, reject } = this.#asked[this.#answered++]!
    if (this.#unreadable === undefined) resolve({ command: COMMAND.exec(text)![0], rows })
    else reject(this.#unreadable)
    this.#unreadable = undefined
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' })
  }

  handleError(error: unknown): void {
    this.callback(error)
    for (const { statement, reject } of this.#asked.slice(this.#answered)) {
      delete this.#wire.submittedNamedStatements[statement.name]
      reject(error)
    }
    this.#answered = this.#asked.length
  }

  handleReadyForQuery(): void {
    this.callback(null)
  }

  #describe(columns: Columns): void {
    const asked = this.#asked[this.#answered]!
    asked.columns = columns
    this.#known.set(asked.statement.name, columns)
  }
}
