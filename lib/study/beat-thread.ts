/** The thread of `beats.ts`. Its event loop is its own: neither training nor a loop that is blocked holds it up. */
import { parentPort, workerData } from 'node:worker_threads'
import { type BeatOrder, writeBeat } from './beats.js'

const paths = new Set<string>()
let count = 0

parentPort!.on('message', ({ add, remove }: BeatOrder) => {
  if (add !== undefined) paths.add(add)
  if (remove !== undefined) paths.delete(remove)
})

setInterval(() => {
  count++
  for (const path of paths) {
    try {
      writeBeat(path, count)
    } catch {
      // Its folder may be gone, or its disk not there for now: the next beat tries again.
    }
  }
}, workerData.every)
