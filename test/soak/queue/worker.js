// node worker.js '{ url, name, … }': a worker of the soak's study at a queue; each event is a line of JSON that it prints. SIGTERM
// has it pause.
import { queueAddress } from '../../../dist/search/queue/address.js'
import { runQueueWorker } from '../../../dist/search/queue/queue-worker.js'
import { studyFile } from '../search/common.js'

const { url, queue = 'gradus-soak', file = studyFile, ...more } = JSON.parse(process.argv[2])
const pause = new AbortController()
process.on('SIGTERM', () => pause.abort())
const tell = (event) => console.log(JSON.stringify(event))
const end = await runQueueWorker({
  ...{ address: queueAddress('url', url), queue, file, threads: 1, token: null, signal: pause.signal },
  ...{ helloEvery: 250, silence: 3000, sendEvery: 100, ...more },
  onEvent: tell,
  onLine: (text) => tell({ type: 'line', text }),
}).catch((error) => error.code)
tell({ type: 'ended', end })
process.exit(['done', 'paused', 'limit'].includes(end) ? 0 : 1)
