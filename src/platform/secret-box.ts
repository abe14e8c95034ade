/** Secrets that must be used and not only compared: sealed under a key that whoever reads the database does not have. */
import { createCipheriv, createDecipheriv, hash } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chance } from './ids.ts'
import { Misconfiguration } from './misconfiguration.ts'

export interface SecretBox {
  /** `of` is whose secret it is: opened for anybody else, it does not open. */
  seal(secret: string, of: string): Buffer
  /** Undefined where it was sealed under another key or for somebody else. */
  open(sealed: Buffer, of: string): string | undefined
}

export type SecretBoxSettings = {
  /** Without it a key is made in the folder. */
  readonly secretKey?: string | undefined
  readonly keyDirectory: string
}

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

export function secretBox(key: string, chance: Pick<Chance, 'token'>): SecretBox {
  const cipherKey = hash('sha256', key, 'buffer')
  return {
    seal(secret, of) {
      const iv = Buffer.from(chance.token(IV_BYTES), 'hex')
      const cipher = createCipheriv(CIPHER, cipherKey, iv, { authTagLength: TAG_BYTES }).setAAD(
        Buffer.from(of),
      )
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), text])
    },
    open(sealed, of) {
      const iv = sealed.subarray(0, IV_BYTES)
      const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)
      try {
        const decipher = createDecipheriv(CIPHER, cipherKey, iv, { authTagLength: TAG_BYTES })
        decipher.setAAD(Buffer.from(of)).setAuthTag(tag)
        const text = decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES))
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** Of the configured key, or of one in the folder, which the first of several processes makes for all. */
export async function openSecretBox(
  { secretKey, keyDirectory }: SecretBoxSettings,
  chance: Pick<Chance, 'token'>,
): Promise<SecretBox> {
  if (secretKey !== undefined) return secretBox(secretKey, chance)
  try {
    await mkdir(keyDirectory, { recursive: true, mode: 0o700 })
    return secretBox(await keyIn(join(keyDirectory, 'secret-key'), chance), chance)
  } catch (error) {
    throw new Misconfiguration(
      {
        problem: `The folder of the key that seals webhook secrets, ${keyDirectory}, cannot be used.`,
        reason: String(error),
        cure: 'Make it writable, or set subscriptions.secretKey.',
      },
      error,
    )
  }
}

async function keyIn(path: string, chance: Pick<Chance, 'token'>): Promise<string> {
  const made = chance.token(KEY_BYTES)
  const draft = `${path}.${made.slice(0, 8)}`
  await writeFile(draft, made, { mode: 0o600 })
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return readFile(path, 'utf8')
}
