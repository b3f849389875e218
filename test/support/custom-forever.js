// A fit with a custom layer that nobody waits for. As a worker it tells its parent of each forward; as a process it exits,
// inside a custom function or between two.
import { parentPort } from 'node:worker_threads'
import { customLayer, dense, meanSquaredError, sequential, sgd } from 'gradus'

const role = process.argv[2]
let calls = 0
const layer = customLayer({
  name: 'custom',
  forward(x) {
    parentPort?.postMessage('forward')
    if (role === 'exit' && ++calls === 3) process.exit(7)
    return x
  },
  backward: (dy) => ({ dx: dy }),
})
const model = sequential({ input: [4] }, [dense(4), layer, dense(1)])
model.compile({ loss: meanSquaredError(), optimizer: sgd() })
const rows = 2000
const data = { x: new Float32Array(rows * 4), y: new Float32Array(rows) }
model.fit(data, { epochs: 1e6, batchSize: 1, quiet: true })
if (role === 'exitBetween') setTimeout(() => process.exit(8), 50)
