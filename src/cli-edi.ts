/** `crossdock edi check FILE…` and `crossdock edi ingest FILE…`. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CommandFailure, type Context, dataFolder, EXIT, sourcesOf, type Terminal } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { findRunning } from './cli-running.ts'
import { loadConfig } from './config.ts'
import { systemClock } from './platform/clock.ts'
import { type Queries, sql } from './platform/database.ts'
import type { FileCheck } from './systems/edi/check-file.ts'
import type { Finding } from './systems/edi/findings.ts'

async function readable(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile()) continue
    throw new CommandFailure(
      {
        problem: `${file} ${found ? 'is not a file' : 'does not exist'}.`,
        cure: 'Name X12 files: crossdock edi check orders.edi',
      },
      EXIT.usage,
    )
  }
}

/** Reads the files as the program would, under the same partner guides, and does nothing. */
export async function ediCheck({ args, options, terminal }: Context): Promise<number> {
  await readable(args)
  const { checkFile } = await import('./systems/edi/check-file.ts')
  const { loadPartnerGuides } = await import('./systems/edi/partner-guide-files.ts')
  const config = loadConfig(sourcesOf(options))
  const running = await findRunning(dataFolder(config))
  const guides = loadPartnerGuides(running?.ediPartners ?? config.edi.partnersDirectory)
  if (guides.length === 0) terminal.note('There are no partner guides here, so every sender is unknown.')
  let isClean = true
  for (const file of args) {
    const check = await checkFile(createReadStream(file), guides)
    isClean &&= check.clean
    terminal.data({ file, ...check }, () => checkText(file, check, terminal))
  }
  return isClean ? EXIT.ok : EXIT.checksFailed
}

type SetCheck = FileCheck['interchanges'][number]['strays'][number]

function checkText(file: string, { interchanges, findings, clean }: FileCheck, terminal: Terminal): string {
  const verdict = clean
    ? terminal.paint('green', 'would be taken')
    : terminal.paint('yellow', 'not all of it would be taken')
  return [
    `${terminal.paint('bold', file)}: ${verdict}`,
    ...findings.map((finding) => `  ${findingText(finding)}`),
    ...interchanges.flatMap(({ sender, partner, controlNumber, groups, strays }) => [
      `  interchange ${controlNumber} of ${partner ?? sender}`,
      ...[...groups.flatMap((group) => group.sets), ...strays].flatMap(setText),
    ]),
  ].join('\n')
}

const setText = (set: SetCheck): string[] => [
  `    ${set.type} ${set.controlNumber} becomes ${becomes(set)}${set.acknowledged ? `, our 997 says ${set.acknowledged}` : ''}`,
  ...set.findings.map((finding) => `      ${findingText(finding)}`),
]

function becomes({ verdict }: SetCheck): string {
  switch (verdict.becomes) {
    case 'order': {
      const { customerOrder, lines, refusedLines, held } = verdict
      return `order ${customerOrder} with ${lines} lines${refusedLines ? `, ${refusedLines} refused` : ''}${held ? ', held' : ''}`
    }
    case 'cancellation':
      return `the cancellation of order ${verdict.customerOrder}`
    case 'answer':
      return `an answer to ${verdict.customerOrder}: ${verdict.reason}`
    case 'advice': {
      const { is, number, lines, unread } = verdict
      const what = {
        answer: `the supplier's answer to purchase order ${number}`,
        notice: `ship notice ${number} of what is to come`,
        count: `a count of what is at ${number}`,
      }
      return `${what[is]}, ${lines} lines${unread ? `, ${unread} unread` : ''}`
    }
    case 'warehouse': {
      const { told, unreadable } = verdict
      return `${told} ${told === 1 ? 'message' : 'messages'} of the warehouse${unreadable ? `, ${unreadable} unreadable` : ''}`
    }
    case 'rejection':
      return `a rejection: ${verdict.places.join('; ')}`
    case 'acknowledgment':
      return `the acknowledgment of group ${verdict.group}: ${verdict.status}`
    case 'quarantine':
      return `quarantine (${verdict.reason}) for ${verdict.owner}`
  }
}

function findingText({ severity, at: { line, byte, segment, element }, message }: Finding): string {
  const inside = [
    ...(segment === undefined ? [] : [`segment ${segment}`]),
    ...(element === undefined ? [] : [`element ${element}`]),
  ]
  return `${severity} at ${[`line ${line}`, `byte ${byte}`, ...inside].join(', ')}: ${message}`
}

const POLL_MS = 200
const WAIT_MS = 60_000

type FileRow = {
  readonly state: 'reading' | 'read' | 'rejected'
  readonly repeats: number
  readonly findings: readonly Finding[]
}
type SetRow = {
  readonly messageId: string
  readonly type: string
  readonly outcome: string
  readonly doc: number | null
  readonly detail: unknown
}

const fileRow = sql('cli.edi_file', 'select state, repeats, findings from edi.file where content_hash = $1')
// The interchange is known a moment before its messages, so older messages need not be looked at.
const setRows = sql(
  'cli.edi_sets',
  `select m.message_id as "messageId", m.type, m.state as outcome, m.doc, m.detail
   from edi.interchange i join inbox.message m on m.received_at >= i.received_at - interval '1 minute'
     and m.source = 'edi' and starts_with(m.message_id, i.sender || '/' || i.control_number || '/')
   where i.content_hash = $1 order by m.received_at, m.message_id`,
)

/** Lays the files into the inbox of the running program, as a partner's transfer would, and waits for its verdict. */
export async function ediIngest(context: Context): Promise<number> {
  const { args, terminal, signal } = context
  await readable(args)
  const { database, config } = await openDatabase(context)
  const inbox = (await findRunning(dataFolder(config)))?.ediInbox
  if (inbox === undefined) {
    throw new CommandFailure({
      problem: 'No program watches for EDI files on this data folder.',
      reason: 'Orders are decided by the running program, which knows stock and credit.',
      cure: 'Start it: npm start. Only to look at the files: crossdock edi check FILE',
    })
  }
  let bad = 0
  for (const file of args) {
    await refuseLarge(file, config.edi.maxFileBytes)
    terminal.note(`${file}: handed over`)
    const told = await ingest(file, inbox, { database, signal })
    if (told.state !== 'read' || told.sets.some(({ outcome }) => !TAKEN.has(outcome))) bad++
    terminal.data(told, () => ingestText(told))
  }
  if (bad === 0) return EXIT.ok
  return bad === args.length ? EXIT.failed : EXIT.partial
}

/** The program would put it aside unread, and never know it again. */
async function refuseLarge(file: string, maxBytes: number): Promise<void> {
  const { size } = await stat(file)
  if (size <= maxBytes) return
  throw new CommandFailure({
    problem: `${file} has ${size} bytes; the program reads at most ${maxBytes}.`,
    cure: 'Send its interchanges in several files, or raise edi.maxFileBytes.',
  })
}

const TAKEN: ReadonlySet<string> = new Set(['applied', 'duplicate', 'superseded'])

async function ingest(
  file: string,
  inbox: string,
  { database, signal }: { database: Queries; signal: AbortSignal },
) {
  const hash = await hashOf(file)
  const [before] = await database.query<FileRow>(fileRow, [hash])
  await mkdir(inbox, { recursive: true })
  const name = `${hash.slice(0, 12)}-${basename(file)}`
  await copyFile(file, join(inbox, `.${name}.part`))
  await rename(join(inbox, `.${name}.part`), join(inbox, name))
  const row = await verdict(database, { hash, before, signal })
  if (!row) {
    const problem = `${file} was handed over, but not read within ${WAIT_MS / 1_000} seconds.`
    throw new CommandFailure({ problem, cure: 'See whether the program is well: crossdock doctor' })
  }
  const sets = await database.query<SetRow>(setRows, [hash])
  return {
    file,
    state: row.state,
    repeated: before !== undefined,
    sets: sets.map(({ doc, ...set }) => ({ ...set, order: doc === null ? null : `O-${doc}` })),
    findings: row.findings,
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function verdict(
  database: Queries,
  { hash, before, signal }: { hash: string; before: FileRow | undefined; signal: AbortSignal },
): Promise<FileRow | undefined> {
  for (let waitedMs = 0; waitedMs < WAIT_MS && !signal.aborted; waitedMs += POLL_MS) {
    const [row] = await database.query<FileRow>(fileRow, [hash])
    if (row && row.state !== 'reading' && (!before || row.repeats > before.repeats)) return row
    await systemClock.sleep(POLL_MS, signal)
  }
  return undefined
}

function ingestText({ file, state, repeated, sets, findings }: Awaited<ReturnType<typeof ingest>>): string {
  return [
    `${file}: ${state}${repeated ? ', known already' : ''}`,
    ...findings.map((finding) => `  ${findingText(finding)}`),
    ...sets.map(
      ({ type, messageId, outcome, order }) =>
        `  ${type} ${messageId}: ${outcome}${order ? `, order ${order}` : ''}`,
    ),
  ].join('\n')
}
