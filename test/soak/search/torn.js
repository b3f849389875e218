// Each file of each trial torn at every byte: that trial may lose what stands in the file, all others are as they were, and a
// worker comes to the end of the study.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { loadStudy } from '../../../dist/search/load-study.js'
import { runWorker } from '../../../dist/search/worker/worker.js'
import { until } from '../../support/until.js'
import { studyFile, trialsOf, worker } from './common.js'

const told = ({ number, state, values, last }) => JSON.stringify([number, state, values, last?.record.value])
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => relative(folder, join(parentPath ?? path, name)))
    .sort()

const study = { kind: 'training', epochs: 3, trials: 4 }
const workInside = async (dir, definition, module, options = {}) =>
  runWorker({
    ...{ dir, definition, module, name: 'here.1', threads: 1, lease: 40, beatEvery: 10 },
    ...{ signal: new AbortController().signal, ...options },
  })

/** Trial 0 is complete, 1 was being trained by a process that was killed, 2 waits after its first epoch. */
async function template(dir, definition, module) {
  await workInside(dir, definition, module, { trials: 1 })
  const { child, ended } = worker(dir, { ...study, pause: 2 ** 30, slowFrom: 2 })
  await until(async () => (await trialsOf(dir))[1]?.values.length > 0)
  const pause = new AbortController()
  const onEvent = ({ type }) => type === 'report' && pause.abort()
  await workInside(dir, definition, module, { signal: pause.signal, onEvent, lease: 60_000 })
  child.kill('SIGKILL')
  await ended
}

export async function torn({ folder, choose, most = Number(process.env.GRADUS_TEARS ?? 1500) }) {
  process.env.GRADUS_SOAK_STUDY = JSON.stringify(study)
  const { definition, module } = await loadStudy(studyFile)
  const whole = join(folder, 'whole')
  await template(whole, definition, module)
  const files = filesIn(join(whole, 'trials'))
  const tears = files.flatMap((file) => {
    const { length } = readFileSync(join(whole, 'trials', file))
    return Array.from({ length }, (_, i) => [file, i])
  })
  const found = []
  const states = {}
  let count = 0
  for (; count < Math.min(most, tears.length); count++) {
    const [file, length] = tears[choose(tears.length)]
    const dir = join(folder, 'torn')
    cpSync(whole, dir, { recursive: true })
    const path = join(dir, 'trials', file)
    writeFileSync(path, readFileSync(path).subarray(0, length))
    const number = Number(file.slice(0, 5))
    const before = (await trialsOf(dir))
      .filter((trial) => trial.number !== number && trial.state === 'complete')
      .map(told)
    const end = await workInside(dir, definition, module).catch((error) => error.stack)
    const trials = await trialsOf(dir)
    const after = trials.map(told)
    const others = trials.filter((trial) => trial.number !== number)
    const isWhole = others.length === 3 && others.every(({ state }) => state === 'complete')
    if (end !== 'done' || !isWhole || before.some((text) => !after.includes(text)))
      found.push(`${file} at ${length}: ${end} ${after}`)
    const { state } = trials[number]
    states[state] = (states[state] ?? 0) + 1
    rmSync(dir, { recursive: true })
  }
  return {
    figures: `${count} tears of ${tears.length} bytes in ${files.length} files; the torn trial was in the end ${JSON.stringify(states)}`,
    found,
  }
}
