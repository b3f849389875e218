// node --expose-gc test/soak/images.js [--steps 10000]: a convolutional network trains so many steps on images that are moved and
// mirrored, recorded on the disk, with checkpoints and validation. What it holds in memory in the second tenth it must hold in the
// last. Last line: N passed, N failed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { alternatingFlip, checkpoint, monitor, randomCrop } from 'gradus'
import { imagesOf, network } from '../support/mortal-images.js'

const { values } = parseArgs({ options: { steps: { type: 'string', default: '10000' } } })
const steps = Number(values.steps)
const [batchSize, stepsOfEpoch] = [32, 100]
/** MiB: what the recording's columns, a few numbers a step, and the collector's habits may add. */
const most = 8

const model = network({ filters: 8, side: 32 })
const folder = mkdtempSync(join(tmpdir(), 'gradus-soak-images-'))
const began = performance.now()
/** MiB by epoch. */
const resident = []
await model.fit(imagesOf(batchSize * stepsOfEpoch, 32), {
  ...{ epochs: steps / stepsOfEpoch, batchSize, quiet: true, dir: folder, sanityCheck: false },
  augment: [randomCrop({ padding: 4 }), alternatingFlip()],
  validation: imagesOf(100, 32),
  callbacks: [
    monitor(),
    checkpoint({ every: { epochs: 10 } }),
    {
      onEpochEnd() {
        globalThis.gc?.()
        resident.push(process.memoryUsage().rss / 2 ** 20)
      },
    },
  ],
})
rmSync(folder, { recursive: true })
const tenth = Math.max(1, Math.floor(resident.length / 10))
const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length
const [first, last] = [resident.slice(tenth, 2 * tenth), resident.slice(-tenth)].map(mean)
const ends = Array.from({ length: 10 }, (_, i) => resident[(i + 1) * tenth - 1].toFixed(1))
console.log(`MiB at the end of each tenth: ${ends.join(', ')}`)
console.log(`${steps} steps, ${first.toFixed(1)} MiB in the second tenth, ${last.toFixed(1)} in the last`)
const isFlat = last - first < most
console.log(
  `${Math.round((performance.now() - began) / 1000)} s\n${isFlat ? '1 passed, 0 failed' : '0 passed, 1 failed'}`,
)
process.exitCode = isFlat ? 0 : 1
