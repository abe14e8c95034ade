/** A lane in a process of its own: opens its cluster, or joins one that is there, and runs the seeds it is sent. */
import { joinLane, openLane } from './lane.ts'
import { type Job, search } from './search.ts'

const ending = new AbortController()
process.on('disconnect', () => ending.abort())
// A terminal tells everybody to end. A lane ends in order when its run does, whose channel closes then.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)

const tell = (message: unknown): void => {
  if (process.connected) process.send!(message)
}

const [url] = process.argv.slice(2)
const lane = url ? await joinLane(url) : await openLane()
let running: Promise<unknown> = Promise.resolve()

async function end(code: number): Promise<void> {
  await running
  await lane.end()
  process.exit(code)
}

process.on('message', (job: Job) => {
  running = search(lane, job, ending.signal).then(tell, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    void end(1)
  })
})
ending.signal.addEventListener('abort', () => void end(0))
tell({ url: lane.cluster.url })
if (ending.signal.aborted) await end(0)
