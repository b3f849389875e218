// node worker.js '{ dir, name, … }': a worker of the soak's study, that prints each of its events, and how it ended.
import { loadStudy } from '../../../dist/search/load-study.js'
import { runWorker } from '../../../dist/search/worker/worker.js'
import { studyFile } from './common.js'

const given = JSON.parse(process.argv[2])
const pause = new AbortController()
process.on('SIGTERM', () => pause.abort())
const { definition, module } = await loadStudy(studyFile)
const onEvent = (event) => console.log(JSON.stringify(event))
const options = { name: 'here.1', threads: 1, ...given, definition, module, signal: pause.signal, onEvent }
console.log(JSON.stringify({ type: 'ended', end: await runWorker(options) }))
