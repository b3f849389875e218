// node killed-change.js STUDY WHAT [CALL]: makes a change of trial 0, and kills itself just before that call of the file system.
// Without one it says how many there are.
import sync, { promises as fs } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createTrial, readTrial, takeTrial } from '../../dist/study/index.js'
import { trialPath } from '../../dist/study/layout.js'
import { draft, ending, suggestion } from './studies.js'

const [study, what, last = 'none'] = process.argv.slice(2)
let calls = null

/** Counts calls from now on. */
function counted(object, name) {
  const call = object[name]
  object[name] = function (...given) {
    if (calls !== null && ++calls === Number(last)) process.kill(process.pid, 'SIGKILL')
    return call.apply(this, given)
  }
}
for (const name of ['mkdir', 'open', 'writeFile', 'rename', 'link', 'unlink', 'rm', 'copyFile', 'readdir', 'lstat'])
  counted(fs, name)
for (const name of ['writeFileSync', 'renameSync', 'lstatSync']) counted(sync, name)
const handle = await fs.open(fileURLToPath(import.meta.url))
const methods = Object.getPrototypeOf(handle)
await handle.close()
for (const name of ['write', 'writeFile', 'sync', 'close']) counted(methods, name)
syncBuiltinESMExports()

const does = {
  create: () => createTrial(study, 0, suggestion(), draft),
  finish: async (held) => held.finish(ending({ value: 0.5 })),
  take: () => takeTrial(readTrial(0, trialPath(study, 0)), draft),
}
const held = what === 'finish' ? await createTrial(study, 0, suggestion(), draft) : null
calls = 0
await does[what](held)
console.log(calls)
