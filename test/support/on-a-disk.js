// Trains a tiny run of 9 epochs into the directory given. Before epoch 3 its disk is spoilt as told, before epoch 6 mended. Says
// which warnings came, and which sound checkpoints there were before epochs 4 and 6, and at the end.
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkpoint, checkpoints } from '../../dist/index.js'
import { digestOf, fitTiny, tinyModel } from './tiny-run.js'
import { until } from './until.js'

const [how, dir] = process.argv.slice(2)
const filler = join(dirname(dir), 'filler')
const folder = join(dir, 'checkpoints')
const spoil = {
  full: () => {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      while (statfsSync(dirname(dir)).bavail * statfsSync(dirname(dir)).bsize >= size)
        writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
    }
  },
  // Of the directory alone: files that are open for writing keep their own disk as it is.
  'read-only': () => {
    execFileSync('mount', ['--bind', dir, dir])
    execFileSync('mount', ['-o', 'remount,bind,ro', dir])
  },
  deleted: () => rmSync(folder, { recursive: true }),
  'deleted wholly': () => rmSync(dir, { recursive: true }),
  moved: () => renameSync(dir, `${dir} moved`),
}
const mend = {
  full: () => rmSync(filler),
  'read-only': () => execFileSync('umount', [dir]),
  deleted: () => mkdirSync(folder),
  'deleted wholly': () => mkdirSync(folder, { recursive: true }),
  moved: () => renameSync(`${dir} moved`, dir),
}
const warnings = []
process.on('warning', ({ code }) => warnings.push(code))
const notSaved = () => warnings.filter((code) => code === 'GRADUS_NOT_SAVED').length
const sound = async () => (await checkpoints(dir)).filter(({ sound }) => sound).map(({ epoch }) => epoch)
const seen = []
const keeping = checkpoint({ every: 'epoch' })
const callback = {
  async onEpochBegin({ epoch }) {
    if (epoch === 3) {
      await until(() => keeping.path?.includes('epoch=002'))
      spoil[how]()
    }
    if (epoch === 4) {
      await until(() => notSaved() === 1)
      seen.push(await sound())
    }
    if (epoch === 6) {
      seen.push(await sound())
      mend[how]()
    }
  },
}
// Large enough that a page or two that others give back make no difference.
const model = tinyModel({ units: 500 })
const history = await fitTiny(model, dir, { epochs: 9, callbacks: [callback, keeping] })
seen.push(await sound())
console.log(
  JSON.stringify({
    seen,
    warnings: [...new Set(warnings)],
    notSaved: notSaved(),
    digest: await digestOf(model, history),
  }),
)
