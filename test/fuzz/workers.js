// Worker threads that hammer on the addon and are terminated at any moment; what the main thread has stays whole.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { native } from '../../dist/native.js'
import { Finding } from './judge.js'
import { bases, hostFor } from './models.js'
import { oneUpdate } from './one-update.js'

const thread = new URL('./worker-thread.js', import.meta.url)
const expected = []

export async function open() {
  for (const base of bases)
    expected.push(await oneUpdate(new native.Program(base.descriptor, hostFor(base.descriptor)), base))
}

export async function round(choices) {
  const workers = Array.from({ length: 1 + choices.below(2) }, () => {
    const worker = new Worker(thread, { workerData: { base: choices.below(bases.length), seed: choices.below(1e6) } })
    return { worker, exit: once(worker, 'exit'), wait: choices.below(60) }
  })
  await Promise.all(
    workers.map(async ({ worker, exit, wait }) => {
      await once(worker, 'message')
      await new Promise((resolve) => setTimeout(resolve, wait))
      await worker.terminate()
      await exit
    }),
  )
  const i = choices.below(bases.length)
  const base = bases[i]
  const loss = await oneUpdate(new native.Program(base.descriptor, hostFor(base.descriptor)), base)
  if (!Object.is(loss, expected[i]))
    throw new Finding(`a loss of ${loss} after workers were ended, ${expected[i]} before`)
}
