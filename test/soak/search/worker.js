// node worker.js '{ dir, name, deaf, … }': a worker of the soak's study, that prints each of its events, each record that was
// refused, and how it ended. One that is deaf is not told of what others put into its trial's folder, nor does it look there.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { studyFile } from './common.js'

const { deaf = false, ...given } = JSON.parse(process.argv[2])
if (deaf) {
  globalThis.setInterval = () => ({ unref() {} })
  fs.watch = () => {
    throw new Error('nobody tells')
  }
  syncBuiltinESMExports()
}
const { loadStudy } = await import('../../../dist/search/load-study.js')
const { runWorker } = await import('../../../dist/search/worker/worker.js')
const { HeldTrial } = await import('../../../dist/study/held-trial.js')

const tell = (event) => console.log(JSON.stringify(event))
if (deaf) HeldTrial.prototype.isTaken = async () => false
const { finish } = HeldTrial.prototype
HeldTrial.prototype.finish = async function (...record) {
  await finish.apply(this, record).catch((error) => {
    tell({ type: 'refused', trial: this.number, code: error.code })
    throw error
  })
}
const pause = new AbortController()
process.on('SIGTERM', () => pause.abort())
const { definition, module } = await loadStudy(studyFile)
const options = { name: 'here.1', threads: 1, ...given, definition, module, signal: pause.signal, onEvent: tell }
const end = await runWorker(options)
tell({ type: 'ended', end, megabytes: process.resourceUsage().maxRSS / 1024 })
