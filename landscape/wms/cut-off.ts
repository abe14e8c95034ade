/** A site's daily cut-off in its own time zone: what comes later ships the next day. */
import { dayAfter, type Site } from '../world/world.ts'

const formats = new Map<string, Intl.DateTimeFormat>()
/** When a site begins to pick, local time. */
const OPENS_MINUTES = 6 * 60
const DAY_MINUTES = 24 * 60

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    const options = { timeZone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' } as const
    formats.set(timeZone, (format = new Intl.DateTimeFormat('sv-SE', options)))
  }
  return format
}

type Told = { shipDate: string; waitMs: number }
const lately = new Map<string, { minute: number; told: Told }>()

/** The day on which an order of now ships, and how long until picking may start. Remembered for a minute. */
export function cutOffAt(site: Site, now: Date): Told {
  const minute = Math.floor(now.getTime() / 60_000)
  const key = `${site.timeZone} ${site.cutOff}`
  const before = lately.get(key)
  if (before?.minute === minute) return before.told
  const [date = '', time = ''] = formatOf(site.timeZone).format(now).split(' ')
  const minutes = minutesOf(time)
  const late = minutes >= minutesOf(site.cutOff)
  const waitMs = late ? (DAY_MINUTES - minutes + OPENS_MINUTES) * 60_000 : 0
  const told = { shipDate: late ? dayAfter(date, 1) : date, waitMs }
  lately.set(key, { minute, told })
  return told
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':')
  return Number(hours) * 60 + Number(minutes)
}
