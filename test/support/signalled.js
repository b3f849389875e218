// Trains a tiny run with checkpoints for ever, or as often as it is told, until a signal comes: `node signalled.js HOW DIR…`.

import { fileURLToPath } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { checkpoint } from '../../dist/index.js'
import { fitTiny, tinyModel } from './tiny-run.js'

const [how, ...dirs] = isMainThread ? process.argv.slice(2) : workerData
const listening = () => ['SIGINT', 'SIGTERM'].map((signal) => process.listenerCount(signal)).join()

/** Says when the first epochs are done. */
function told() {
  return {
    onEpochEnd({ epoch }) {
      if (epoch === 2) console.log('trains')
    },
  }
}

function endless(dir) {
  return fitTiny(tinyModel(), dir, {
    epochs: 1e9,
    quiet: false,
    sanityCheck: false,
    callbacks: [told(), checkpoint({ every: { epochs: 1e6 } })],
  }).done
}

if (how === 'forever') await Promise.all(dirs.map(endless))
if (how === 'own listeners') {
  let heard = 0
  const again = new Promise((resolve) => {
    process.on('SIGTERM', () => {
      heard++
      resolve()
    })
  })
  const keeping = checkpoint({ every: { epochs: 1e6 } })
  const run = fitTiny(tinyModel(), dirs[0], { epochs: 1e9, callbacks: [told(), keeping] })
  await again
  while (keeping.path === null) await new Promise((resolve) => setTimeout(resolve, 1))
  console.log(`heard ${heard}, written, ${run.history.stoppedBy ?? 'trains on'}`)
  run.stop()
  await run
  console.log(`listening ${listening()}`)
  process.exit(0)
}
if (how === 'stuck') {
  // What comes between the first signal and the end takes for ever.
  const stuck = { onTrainEnd: () => new Promise((resolve) => setTimeout(resolve, 1e9)) }
  await fitTiny(tinyModel(), dirs[0], {
    epochs: 1e9,
    callbacks: [told(), stuck, checkpoint({ every: { epochs: 1e6 } })],
  })
}
if (how === 'counts') {
  const counts = [listening()]
  const within = { onEpochEnd: () => void counts.push(listening()) }
  await fitTiny(tinyModel(), dirs[0], { epochs: 1, callbacks: [checkpoint(), within] })
  counts.push(listening())
  const bad = { onEpochEnd: () => Promise.reject(new Error('bad')) }
  await fitTiny(tinyModel(), dirs[1], { epochs: 1, callbacks: [checkpoint(), bad] }).done.catch(() => {})
  counts.push(listening())
  const worse = { onTrainBegin: () => Promise.reject(new Error('bad')) }
  await fitTiny(tinyModel(), dirs[2], { epochs: 1, callbacks: [checkpoint(), worse] }).done.catch(() => {})
  counts.push(listening())
  const both = [dirs[3], dirs[4]].map(
    (dir) => fitTiny(tinyModel(), dir, { epochs: 1, callbacks: [checkpoint(), within] }).done,
  )
  await Promise.all(both)
  counts.push(listening())
  console.log(counts.join(' '))
}
if (how === 'worker') {
  if (isMainThread) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: ['worker', ...dirs] })
    worker.on('message', (counts) => console.log(`worker ${counts} main ${listening()}`))
  } else {
    const { parentPort } = await import('node:worker_threads')
    let counts
    const within = { onEpochEnd: () => (counts = listening()) }
    await fitTiny(tinyModel(), dirs[0], { epochs: 1, callbacks: [checkpoint(), within] })
    parentPort.postMessage(counts)
  }
}
