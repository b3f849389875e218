// What workers.test.js runs in worker threads and in processes of its own, picked by name: training that somebody else
// ends. It says 'begun' when a native call runs, and 'done' if one could end by itself.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { adam, dense, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { native } from '../../dist/native.js'

export const rows = 100_000
const threads = 2

const say = (text) => (isMainThread ? process.stdout.write(`${text}\n`) : parentPort.postMessage(text))

/** A model whose epochs at batch size 1 take many seconds. */
function longModel() {
  const model = sequential({ input: [8], seed: 1 }, [dense(512), relu(), dense(512), relu(), dense(10)])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
}

/** One native call that nobody waits for. */
function startStep(program) {
  const dataset = new native.Dataset(
    rows,
    [{ name: 'x', type: 'float32', shape: [8] }],
    { name: 'y', type: 'int32', shape: [] },
    null,
  )
  const learningRates = new Float64Array(rows).fill(1e-3)
  const call = { dataset, shuffle: true, epoch: 0, firstRow: 0, batchSize: 1, batches: rows, learningRates, threads }
  return program.train(call).then(() => say('done'))
}

/** A fit that nobody waits for, and its model. */
function longFit(options) {
  const model = longModel()
  const x = new Float32Array(rows * 8)
  model.fit({ x, y: new Int32Array(rows) }, { batchSize: 1, threads, quiet: true, ...options })
  return model
}

/** Does something while a native call of the fit runs. */
function duringFit(act) {
  const { program } = longFit()
  const look = () => (program.busy ? act() : setImmediate(look))
  look()
}

const roles = {
  /** The worker ends because its code has, though the call runs on. */
  leave() {
    startStep(longModel().program)
    say('begun')
    process.exit(3)
  },

  leaveFit() {
    duringFit(() => process.exit(4))
  },

  exitInFit() {
    duringFit(() => process.exit(7))
  },

  wait() {
    startStep(longModel().program)
    say('begun')
  },

  /** Several programs, each in a call; one of them disposed meanwhile. */
  waitForThree() {
    const models = [longModel(), longModel(), longModel()]
    for (const { program } of models) startStep(program).catch(() => {})
    models[1].dispose()
    say('begun')
  },

  fit() {
    longFit()
    const look = () => {
      say('begun')
      setImmediate(look)
    }
    look()
  },

  abortAfterDispose() {
    const controller = new AbortController()
    const model = longModel()
    const data = { x: new Float32Array(rows * 8), y: new Int32Array(rows) }
    const run = model.fit(data, { batchSize: 1, threads, quiet: true, signal: controller.signal })
    run.done.catch(({ name }) => say(name))
    const look = () => {
      if (!model.program.busy) return setImmediate(look)
      model.dispose()
      run.stop()
      controller.abort()
    }
    look()
  },

  /** The exit comes between two native calls or in the middle of one: from a callback, and from elsewhere. */
  exitInCallback() {
    longFit({ stepsPerCall: 3, callbacks: [{ onStepsEnd: () => process.exit(7) }] })
  },

  exitInCall() {
    startStep(longModel().program)
    setImmediate(() => process.exit(8))
  },

  throwInCall() {
    startStep(longModel().program)
    setImmediate(() => {
      throw new Error('planned')
    })
  },
}

const role = isMainThread ? process.argv[2] : workerData?.role
if (role) roles[role]()
