/** A lane in a process of its own: opens its cluster, or joins one that is there, and runs the seeds it is sent. */
import { joinLane, openLane } from './lane.ts'
import { type Job, search } from './search.ts'

const [url] = process.argv.slice(2)
const lane = url ? await joinLane(url) : await openLane()
let running: Promise<unknown> = Promise.resolve()
process.on('message', (job: Job) => {
  running = search(lane, job).then((finding) => process.send!(finding))
})
process.on('disconnect', () => {
  void running.then(() => lane.end()).then(() => process.exit(0))
})
process.send!({ url: lane.cluster.url })
