/** The house with nothing but its doors, for a command that needs one while no program is running. */
import type { App } from './app.ts'
import type { Context } from './cli-context.ts'
import type { Opened } from './cli-database.ts'
import { systemClock } from './platform/clock.ts'
import { openHttpClient } from './platform/http-client.ts'
import type { Notices } from './platform/notices.ts'
import { openConnections } from './platform/postgres-connections.ts'
import { createLog } from './platform/telemetry-log.ts'
import { createMetrics } from './platform/telemetry-metrics.ts'

const POOL = 3

/** Nobody hears a process that comes and goes with a command. */
const NO_NOTICES: Notices = { on: () => undefined, tell: () => undefined }

/** What comes in by them is left due on the desk for the program. They close when the command ends. */
export async function openDoors(context: Context, { config, url }: Opened): Promise<App> {
  const { createApp } = await import('./app.ts')
  const log = createLog({
    level: 'error',
    clock: systemClock,
    destination: { write: (line) => void process.stderr.write(line) },
  })
  const pool = (plans: 'hot' | 'screen') =>
    openConnections({ ...config.database, url, size: POOL, plans, onError: () => undefined })
  const [connections, screens] = [pool('hot'), pool('screen')]
  const http = openHttpClient({ clock: systemClock })
  const app = createApp(
    { ...config, role: 'api' },
    {
      connections,
      screens,
      notices: NO_NOTICES,
      clock: systemClock,
      http,
      log,
      metrics: createMetrics({ process: false }),
      openOnLoopback: false,
    },
  )
  context.atEnd(() => Promise.all([connections.end(), screens.end()]))
  context.atEnd(() => http.close())
  context.atEnd(() => app.stop())
  return app
}
