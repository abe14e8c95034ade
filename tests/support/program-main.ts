/** The house as a program of its own, for tests that kill, stop and crowd it: says its address and stays. */
import { systemClock as clock } from '#platform/clock.ts'
import { createLog } from '#platform/telemetry-log.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { startHouse } from '../../src/main.ts'

const defaults = JSON.parse(process.argv[2] ?? '{}') as Partial<ConfigInput>
const log = createLog({ level: 'warn', clock, destination: process.stderr })
const house = await startHouse({ sources: { environment: {}, file: undefined, defaults }, clock, log })
await house.ready
process.once('SIGTERM', () => void house.stop().then(() => process.exit(0)))
process.once('disconnect', () => process.exit(1))
process.send?.({ url: house.url })
