/** The one that seals: each second it seals what was committed, each hour it signs the head to a file outside. */
import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { sealEntries, type Head, type Seal } from './audit-seals.ts'
import type { Clock } from './clock.ts'
import type { Database } from './database.ts'
import { Refusal, type RefusalCode } from './faults.ts'

export const auditRefusals = {
  'audit.head_unsigned': {
    status: 409,
    title: 'A signed audit head does not verify',
    cause: 'A line of the head file was changed, or was signed with another key than the configured one.',
    fix: 'Compare the head file with its backup; verify with the key that was in use when the line was written.',
  },
} as const satisfies Record<string, RefusalCode>

const SEAL_EVERY_MS = 1_000
const SIGN_EVERY_MS = 3_600_000

type SignedHead = Head & { readonly signedAt: string; readonly signature: string }

const bytesOf = ({ number, hash, signedAt }: Omit<SignedHead, 'signature'>): Buffer =>
  Buffer.from(JSON.stringify(['crossdock audit head', number, hash, signedAt]))

/** Appends the head to the file and waits until it is on the disk. `key` is an Ed25519 private key. */
export async function signHead(path: string, key: KeyObject, seal: Seal, signedAt: Date): Promise<void> {
  const head = { number: seal.number, hash: seal.hash, signedAt: signedAt.toISOString() }
  const signature = sign(null, bytesOf(head), key).toString('base64url')
  const file = await open(path, 'a', 0o600)
  try {
    await file.write(`${JSON.stringify({ ...head, signature })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The heads of a file, for `verifySeals`; refuses one whose signature is not by `key` (private or public). */
export async function readHeads(path: string, key: KeyObject): Promise<SignedHead[]> {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return (await readLines(path)).map((line, index) => {
    const head = parseHead(line)
    if (!head || !verify(null, bytesOf(head), publicKey, Buffer.from(head.signature, 'base64url'))) {
      throw new Refusal('audit.head_unsigned', `line ${index + 1} of ${path} is not signed with this key`, {
        line: index + 1,
      })
    }
    return head
  })
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').filter((line) => line !== '')
}

function parseHead(line: string): SignedHead | undefined {
  try {
    const head = JSON.parse(line) as Partial<SignedHead> | null
    const { number, hash, signedAt, signature } = head ?? {}
    if (typeof number !== 'number' || typeof hash !== 'string') return undefined
    if (typeof signedAt !== 'string' || typeof signature !== 'string') return undefined
    return { number, hash, signedAt, signature }
  } catch {
    return undefined
  }
}

export type AuditSealerOptions = {
  readonly database: Database
  readonly clock: Clock
  /** Where heads go: a file outside the database, best on another disk. Without it nothing is signed. */
  readonly heads?: { readonly path: string; readonly key: KeyObject }
  readonly onError: (error: unknown) => void
}

export interface AuditSealer {
  /** One round: seals all that can be sealed and signs the head when its hour has come. */
  round(): Promise<void>
  start(): void
  /** Ends after the round under way. */
  stop(): Promise<void>
}

/** Any number of processes may run one: a lock lets a single one seal at a time. */
export function auditSealer({ database, clock, heads, onError }: AuditSealerOptions): AuditSealer {
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  let signed: { readonly number: number; readonly atMs: number } | undefined

  async function round(): Promise<void> {
    let outcome = await sealEntries(database)
    while (outcome.sealed > 0 && !stopping.signal.aborted) outcome = await sealEntries(database)
    if (heads && outcome.newest) await signWhenDue(heads, outcome.newest)
  }

  async function signWhenDue({ path, key }: NonNullable<typeof heads>, newest: Seal): Promise<void> {
    signed ??= await lastSigned(path, key)
    const now = clock.now()
    if (newest.number <= signed.number || now.getTime() - signed.atMs < SIGN_EVERY_MS) return
    await signHead(path, key, newest, now)
    signed = { number: newest.number, atMs: now.getTime() }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await round().catch(onError)
      await clock.sleep(SEAL_EVERY_MS, stopping.signal)
    }
  }

  return {
    round,
    start() {
      running ??= loop()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function lastSigned(path: string, key: KeyObject): Promise<{ number: number; atMs: number }> {
  const last = (await readHeads(path, key)).at(-1)
  return last ? { number: last.number, atMs: Date.parse(last.signedAt) } : { number: 0, atMs: -Infinity }
}
