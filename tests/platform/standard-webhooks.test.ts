/** Signatures as Standard Webhooks 1.0.0 prescribes them, and the box that keeps their secrets. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemChance } from '#platform/ids.ts'
import { openSecretBox, secretBox } from '#platform/secret-box.ts'
import { newWebhookSecret, webhookHeaders } from '#platform/standard-webhooks.ts'

const published = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  message: {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1_614_265_330_000),
    body: '{"test": 2432232314}',
  },
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

test('the published example is signed as published', () => {
  expect(webhookHeaders(published.message, [published.secret])).toEqual({
    'webhook-id': published.message.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': published.signature,
  })
})

test('while secrets are exchanged a message has a signature of each, the newest first', () => {
  const other = newWebhookSecret(systemChance)
  const { 'webhook-signature': both } = webhookHeaders(published.message, [other, published.secret])
  const { 'webhook-signature': alone } = webhookHeaders(published.message, [other])
  expect(both).toBe(`${alone} ${published.signature}`)
  expect(() => webhookHeaders(published.message, [])).toThrow('without a secret')
})

test('a secret has 32 random bytes', () => {
  const [one, two] = [newWebhookSecret(systemChance), newWebhookSecret(systemChance)]
  expect(one).not.toBe(two)
  expect(Buffer.from(one.replace('whsec_', ''), 'base64')).toHaveLength(32)
})

describe('a sealed secret', () => {
  const box = secretBox('the key of this test', systemChance)

  test('shows nothing of itself, and never looks the same', () => {
    const [one, two] = [box.seal('whsec_hush', 'sub_1'), box.seal('whsec_hush', 'sub_1')]
    expect(one.toString('latin1')).not.toContain('hush')
    expect(one.equals(two)).toBe(false)
    expect(box.open(one, 'sub_1')).toBe('whsec_hush')
  })

  test('opens for nobody else, under no other key, and not after a change', () => {
    const sealed = box.seal('whsec_hush', 'sub_1')
    expect(box.open(sealed, 'sub_2')).toBeUndefined()
    expect(secretBox('another key', systemChance).open(sealed, 'sub_1')).toBeUndefined()
    for (const place of [0, 12, 28]) {
      const changed = Buffer.from(sealed)
      changed[place]! ^= 1
      expect(box.open(changed, 'sub_1')).toBeUndefined()
    }
    expect(box.open(Buffer.alloc(3), 'sub_1')).toBeUndefined()
  })
})

describe('the key of the box', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'crossdock-box-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test('is made once for all processes where none is configured, readable by its owner alone', async () => {
    const settings = { keyDirectory: join(directory, 'made') }
    const [one, two] = await Promise.all([
      openSecretBox(settings, systemChance),
      openSecretBox(settings, systemChance),
    ])
    expect(two.open(one.seal('hush', 'sub_1'), 'sub_1')).toBe('hush')
    const path = join(settings.keyDirectory, 'secret-key')
    expect((await stat(path)).mode & 0o077).toBe(0)
    expect(await readFile(path, 'utf8')).toMatch(/^[0-9a-f]{64}$/)
  })

  test('is the configured one where there is one, and no folder is touched', async () => {
    const settings = { secretKey: 'k'.repeat(32), keyDirectory: join(directory, 'none') }
    const box = await openSecretBox(settings, systemChance)
    expect(secretBox(settings.secretKey, systemChance).open(box.seal('hush', 'a'), 'a')).toBe('hush')
    await expect(stat(settings.keyDirectory)).rejects.toThrow('ENOENT')
  })

  test('that cannot be kept stops the start and says what to do', async () => {
    const path = join(directory, 'file')
    await writeFile(path, '')
    await expect(openSecretBox({ keyDirectory: path }, systemChance)).rejects.toThrow(
      /webhook secrets[^]*subscriptions\.secretKey/,
    )
  })
})
