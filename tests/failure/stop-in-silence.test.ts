/** A program that is told to stop while its database has gone silent, as behind a firewall that lost its table. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock as clock } from '#platform/clock.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { dataFolder, Up } from '#tests/cli/program.ts'
import { startFaultProxy } from '#tests/torture/fault-proxy.ts'

/** Orchestrators kill what they have told to stop after that. */
const PATIENCE_MS = 30_000

test('is gone with code 0 before an orchestrator kills it', async () => {
  const folder = dataFolder()
  const log = createLog({ level: 'error', clock, destination: process.stderr })
  const server = await startPostgres({ dataDirectory: join(folder.path, 'server'), clock, log })
  const url = new URL(server.url)
  const port = Number(url.port)
  const proxy = await startFaultProxy({ target: () => port, random: () => 0.5 })
  Object.assign(url, { port: String(proxy.port), search: '' })
  const file = join(folder.path, 'crossdock.yaml')
  writeFileSync(file, JSON.stringify({ database: { url: url.href } }))
  const up = new Up('--port', '0', '--data', folder.path, '--config', file)
  try {
    await up.when(() => up.stderr.includes('listening on'))
    proxy.set({ kind: 'black-hole', way: 'there', forgotten: true })
    await expect.poll(() => proxy.struck['black-hole'] ?? 0).toBeGreaterThan(1)
    const toldMs = performance.now()
    expect(await up.stop()).toBe(0)
    expect(performance.now() - toldMs).toBeLessThan(PATIENCE_MS)
    expect(up.stderr).toContain('the work did not end in time')
  } finally {
    up.signal('SIGKILL')
    await proxy.end()
    await server.stop()
    folder.remove()
  }
}, 120_000)
