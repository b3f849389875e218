// node master.js '{ dir, url, lease, … }': the master of the soak's study at a queue, with a lease of its own. SIGTERM has it pause.
import { loadStudy } from '../../../dist/search/load-study.js'
import { runMaster } from '../../../dist/search/master/master.js'
import { queueAddress } from '../../../dist/search/queue/address.js'
import { queueExecutor } from '../../../dist/search/queue/queue-executor.js'
import { Search } from '../../../dist/search/worker/search.js'
import { studyFile } from '../search/common.js'

const {
  dir,
  url,
  lease = 1000,
  beatEvery = 50,
  lookEvery = 1000,
  queue = 'gradus-soak',
  ...more
} = JSON.parse(process.argv[2])
const pause = new AbortController()
process.on('SIGTERM', () => pause.abort())
const onLine = (text) => console.error(text)
const { definition, module } = await loadStudy(studyFile)
const { reader } = await Search.open(dir, definition, { module })
const executor = queueExecutor({
  ...{
    address: queueAddress('url', url),
    queue,
    dir,
    definition,
    module,
    allowChanged: false,
    lease,
    beatEvery,
    lookEvery,
  },
  ...{ artifacts: null, listen: null, limit: 1 << 30, token: null, onLine },
  ...more,
})
const end = await runMaster({
  ...{ reader, name: dir, executor, workers: 1, signal: pause.signal, lease, beatEvery, onLine },
  onTrial: ({ number, state }) => console.log(`${number} ${state}`),
})
console.log(end)
process.exit(end === 'done' || end === 'exhausted' ? 0 : 1)
