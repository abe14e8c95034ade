/**
 * Heads of the audit trail, signed and kept in a file outside the database. A head fixes every seal up to its own, so
 * whoever can write to the database alone cannot rewrite what was sealed before.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import {
  access,
  constants,
  type FileHandle,
  link,
  mkdir,
  open,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { type Head, newestSeal, type Seal } from './audit-seals.ts'
import type { Clock } from './clock.ts'
import type { Queries } from './database.ts'
import { Misconfiguration } from './misconfiguration.ts'

export type AuditSettings = {
  readonly headsDirectory: string
  /** PEM; without it a key is made in the folder. */
  readonly signingKey?: string | undefined
  /** Public keys that signed before the one in use. */
  readonly formerKeys: readonly string[]
}

type SignedHead = Head & {
  readonly signedAt: string
  /** The public key that it was signed with. */
  readonly key: string
  readonly signature: string
}

const SIGN_EVERY_MS = 3_600_000

const headsIn = (directory: string): string => join(directory, 'heads.jsonl')
const keyIn = (directory: string): string => join(directory, 'signing-key.pem')

export interface AuditHeads {
  /** Signs the newest seal when the last head is an hour old or of another key; at the end of a program in any case. */
  sign(queries: Queries, when?: 'due' | 'at the end'): Promise<void>
}

export async function openAuditHeads(settings: AuditSettings, clock: Clock): Promise<AuditHeads> {
  const directory = settings.headsDirectory
  const key = await openFolder(settings)
  let last: SignedHead | undefined

  return {
    async sign(queries, when = 'due') {
      last ??= (await readHeads(directory)).at(-1)?.head
      const seal = await newestSeal(queries)
      const now = clock.now()
      if (!seal || !isDue(last, { seal, now, key: publicText(key), atTheEnd: when === 'at the end' })) return
      const head = signedHead(seal, key, now)
      await append(headsIn(directory), `${JSON.stringify(head)}\n`)
      last = head
    },
  }
}

type Situation = {
  readonly seal: Seal
  readonly now: Date
  readonly key: string
  readonly atTheEnd: boolean
}

function isDue(last: SignedHead | undefined, { seal, now, key, atTheEnd }: Situation): boolean {
  if (!last || last.key !== key) return true
  const isNew = seal.number !== last.number || seal.hash !== last.hash
  return isNew && (atTheEnd || now.getTime() - Date.parse(last.signedAt) >= SIGN_EVERY_MS)
}

const bytesOf = ({ number, hash, signedAt, key }: Omit<SignedHead, 'signature'>): Buffer =>
  Buffer.from(JSON.stringify(['crossdock audit head', number, hash, signedAt, key]))

function signedHead({ number, hash }: Seal, key: KeyObject, now: Date): SignedHead {
  const head = { number, hash, signedAt: now.toISOString(), key: publicText(key) }
  return { ...head, signature: sign(null, bytesOf(head), key).toString('base64url') }
}

/**
 * Waits until it is on the disk. One write, so that processes that share the folder do not mix their lines; what a crash
 * or a full disk has left of an earlier one keeps its line to itself.
 */
async function append(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+', 0o600)
  try {
    const bytes = Buffer.from((await endsInMidLine(file)) ? `\n${line}` : line)
    const { bytesWritten } = await file.write(bytes)
    if (bytesWritten < bytes.length) throw new Error(`${path} has no room for a head`)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function endsInMidLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer.toString() !== '\n'
}

export type HeadFault = { readonly line: number; readonly reason: string }

/** What stands in the folder: the heads signed by keys that are trusted, and the lines that prove nothing. */
export async function verifyHeads(
  settings: AuditSettings,
): Promise<{ heads: SignedHead[]; faults: HeadFault[] }> {
  const { headsDirectory: directory, signingKey, formerKeys } = settings
  const pem = signingKey ?? (await readIfThere(keyIn(directory)))
  const current = pem === undefined ? undefined : publicText(parseKey(pem))
  const trusted = new Set([...formerKeys, ...(current === undefined ? [] : [current])])
  const read = await readHeads(directory)
  const faults = read.flatMap(({ line, head }): HeadFault[] => {
    const reason = headFault(head, trusted)
    return reason === undefined ? [] : [{ line, reason }]
  })
  const broken = new Set(faults.map(({ line }) => line))
  return { heads: read.flatMap(({ line, head }) => (head && !broken.has(line) ? [head] : [])), faults }
}

function headFault(head: SignedHead | undefined, trusted: ReadonlySet<string>): string | undefined {
  if (!head) return 'it is no head'
  if (!trusted.has(head.key)) return `it is signed with ${head.key}, neither the key in use nor a former one`
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: head.key }, format: 'jwk' })
  return verify(null, bytesOf(head), key, Buffer.from(head.signature, 'base64url'))
    ? undefined
    : 'its signature is not of what it says'
}

async function readHeads(directory: string): Promise<{ line: number; head: SignedHead | undefined }[]> {
  const lines = ((await readIfThere(headsIn(directory))) ?? '').split('\n')
  return lines.flatMap((text, at) => (text === '' ? [] : [{ line: at + 1, head: parseHead(text) }]))
}

function parseHead(line: string): SignedHead | undefined {
  try {
    const head = JSON.parse(line) as Partial<SignedHead> | null
    const { number, hash, signedAt, key, signature } = head ?? {}
    if (typeof number !== 'number' || typeof hash !== 'string' || typeof signedAt !== 'string')
      return undefined
    if (typeof key !== 'string' || typeof signature !== 'string') return undefined
    return { number, hash, signedAt, key, signature }
  } catch {
    return undefined
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** The public half as heads name it: the 32 bytes of the key, in base64url. */
const publicText = (key: KeyObject): string => createPublicKey(key).export({ format: 'jwk' }).x!

function parseKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // told below, without what was given
  }
  throw new Misconfiguration({
    problem: 'The key that signs heads of the audit trail is no Ed25519 private key in PEM.',
    cure: 'Make one: openssl genpkey -algorithm ed25519. Then name it in audit.signingKey.',
  })
}

/** The folder, and the key in it where none is configured; the first of several processes makes it for all. */
async function openFolder({ headsDirectory: directory, signingKey }: AuditSettings): Promise<KeyObject> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.W_OK)
    return parseKey(signingKey ?? (await readIfThere(keyIn(directory))) ?? (await makeKey(keyIn(directory))))
  } catch (error) {
    if (error instanceof Misconfiguration) throw error
    const problem = `The folder of signed audit heads, ${directory}, cannot be used.`
    const cure = 'Make it writable, or name another one in audit.headsDirectory.'
    throw new Misconfiguration({ problem, reason: String(error), cure }, error)
  }
}

async function makeKey(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const draft = `${path}.${publicText(privateKey)}`
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return readFile(path, 'utf8')
}
