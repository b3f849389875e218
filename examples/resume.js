// A training that is killed in the middle, three times, and goes on each time: at its end it has the same weights, to the last
// bit, as one that nobody disturbed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adam, checkpoint, dense, dropout, earlyStopping, relu, sequential, softmaxCrossEntropy, split } from 'gradus'

/** Two moons, which lie within each other. */
const points = Array.from({ length: 400 }, (_, i) => {
  const angle = (Math.PI * (i >> 1)) / 200
  const noise = 0.2 * Math.sin(12.9898 * i) * Math.cos(78.233 * i)
  return i % 2 ? [1 - Math.cos(angle) + noise, 0.5 - Math.sin(angle)] : [Math.cos(angle) + noise, Math.sin(angle)]
})
const { train, test } = split({ x: points, y: points.map((_, i) => i % 2) }, { fraction: 0.25, seed: 1 })

/** Trains in this folder, or goes on with what lies there. Kills its process after so many updates. */
async function run(dir, killAfter) {
  const model = sequential({ input: [2], seed: 1 }, [dense(64), relu(), dropout(0.3), dense(2)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }), metrics: ['accuracy'] })
  let updates = 0
  const killer = {
    onEpochBegin: ({ epoch }) => updates === 0 && console.log(`begins with epoch ${epoch}`),
    onStepsEnd({ steps }) {
      updates += steps.updates
      if (updates >= killAfter) process.kill(process.pid, 'SIGKILL')
    },
  }
  const stopping = earlyStopping({ patience: 30, restoreBest: true })
  const callbacks = [checkpoint({ every: { steps: 20 }, monitor: 'valLoss' }), stopping, killer]
  const options = { epochs: 60, validation: test, dir, resume: true, stepsPerCall: 5, quiet: true, callbacks }
  const history = await model.fit(train, options)
  const weights = createHash('sha256').update(await model.toBuffer({ optimizer: true }))
  console.log(
    `${history.epochs} epochs, accuracy ${history.valAccuracy.at(-1)}, weights ${weights.digest('hex').slice(0, 16)}`,
  )
}

const [dir, killAfter] = process.argv.slice(2)
if (dir) await run(dir, Number(killAfter))
else {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
  const start = async (name, updates) => {
    console.log(`\n${name}${updates === Infinity ? '' : `, to be killed after ${updates} updates`}:`)
    const script = [fileURLToPath(import.meta.url), join(folder, name), updates]
    await once(spawn(process.execPath, script, { stdio: 'inherit' }), 'exit')
  }
  for (const updates of [150, 200, 170, Infinity]) await start('disturbed', updates)
  await start('calm', Infinity)
  rmSync(folder, { recursive: true })
}
