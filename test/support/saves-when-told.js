// Trains a tiny run of so many epochs into the directory given, with these options of checkpoint(). Before an epoch ends, or
// before anything with 0, and when the checkpoint before is written, it says which thread does the work on files and how its
// temporary files are called, and waits for a line.
import { unlinkSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { checkpoint } from '../../dist/index.js'
import { newTemporary } from '../../dist/temporary.js'
import { digestOf, fitTiny, tinyModel } from './tiny-run.js'
import { until } from './until.js'

const [dir, epochs, waitsIn, options] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const keeping = checkpoint(JSON.parse(options))
let begun
const pause = {
  onEpochBegin({ epoch }) {
    begun ??= epoch - 1
  },
  async onEpochEnd({ epoch }) {
    if (epoch !== Number(waitsIn)) return
    // None has been written since, where the run goes on with the epoch before.
    if (begun < epoch - 1) await until(() => keeping.path?.includes(`epoch=${String(epoch - 1).padStart(3, '0')}`))
    await wait()
  },
}

async function wait() {
  const { path, file } = await newTemporary(tmpdir())
  await file.close()
  unlinkSync(path)
  const thread = (await readlink('/proc/thread-self')).split('/').at(-1)
  console.log(JSON.stringify({ thread, temporary: basename(path) }))
  await lines.next()
}

process.on('warning', ({ code }) => console.log(`warning ${code}`))
const model = tinyModel()
try {
  if (waitsIn === '0') await wait()
  const history = await fitTiny(model, dir, { epochs: Number(epochs), callbacks: [pause, keeping] })
  console.log(`digest ${await digestOf(model, history)}`)
} catch (error) {
  console.log(`${error.code} ${error.message}`)
}
process.stdin.destroy()
