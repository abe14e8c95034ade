/** `crossdock inventory publish SHOP`: a shop is told everything that can be promised to it again. */
import { type Context, EXIT, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { systemClock } from './platform/clock.ts'

/** The running program tells it, behind what changes meanwhile. */
export async function inventoryPublish(context: Context): Promise<number> {
  const { args, terminal } = context
  const [shop] = args as [string]
  const { config, database } = await openDatabase(context)
  const { tellAgain, audiencesOf } = await import('./app-publishing.ts')
  const all = audiencesOf(config)
  const audiences = all.filter((one) => one.shop === shop)
  if (audiences.length === 0) {
    const known = [...new Set(all.map((one) => one.shop))].join(', ') || 'none'
    throw wrongUse(`publishing.shops has no ${shop}.`, `Name one that is told: ${known}`)
  }
  for (const audience of audiences) {
    const items = await tellAgain(database, audience, systemClock.now())
    terminal.data(
      { ...audience, items },
      () => `${shop} is told of ${items} items of ${audience.company} for ${audience.channel} again`,
    )
  }
  return EXIT.ok
}
