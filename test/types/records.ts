// Records, histories, evaluations and callbacks, typed by the model's metrics.
import {
  accuracy,
  adam,
  type Callback,
  confusionMatrix,
  dense,
  type EpochRecord,
  type Evaluation,
  earlyStopping,
  type FitOptions,
  GradusError,
  gradientCheck,
  type History,
  loadModel,
  type Model,
  monitor,
  type Run,
  r2,
  sanityCheck,
  sequential,
  softmaxCrossEntropy,
  tensorboard,
  topKAccuracy,
} from 'gradus'

const options = { loss: softmaxCrossEntropy(), optimizer: adam() }
const data = { x: new Float32Array(4), y: [0, 1] }
const network = sequential({ input: [2], seed: 1 }, [dense(6)])

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}

export async function typed(): Promise<void> {
  const model = network.compile({ ...options, metrics: ['accuracy', topKAccuracy(5), 'confusionMatrix'] })
  const run = model.fit(data, { epochs: 3, validation: data })
  for await (const e of run) {
    same<typeof e.accuracy, number>(true)
    same<typeof e.top5Accuracy, number>(true)
    same<typeof e.confusionMatrix, number[][]>(true)
    same<typeof e.valAccuracy, number | undefined>(true)
    same<typeof e.valTop5Accuracy, number | undefined>(true)
    same<typeof e.valLoss, number | undefined>(true)
    same<typeof e.loss, number>(true)
    // @ts-expect-error: a typo
    e.valAcuracy
    // @ts-expect-error: Keras's name
    e.val_loss
    // @ts-expect-error: not one of this model's metrics
    e.r2
    // @ts-expect-error: another k
    e.top3Accuracy
  }
  const history = await run
  same<typeof history.accuracy, number[]>(true)
  same<typeof history.confusionMatrix, number[][][]>(true)
  same<typeof history.epochs, number>(true)
  same<typeof history.stoppedBy, string | null>(true)
  const last: number | undefined = history.valAccuracy?.at(-1)
  // @ts-expect-error: a typo
  history.lossss
  // @ts-expect-error: there may be none
  history.valLoss[0]
  const best: number | undefined = run.best?.valAccuracy
  // @ts-expect-error: null before the first epoch
  run.best.loss
  const evaluation = await model.evaluate(data)
  const sum: number = evaluation.accuracy + evaluation.loss + evaluation.regularizationLoss
  // @ts-expect-error: a typo
  evaluation.acc
  await run.then(({ loss }) => loss.length)
  const all: [number | undefined, number | undefined, number] = [last, best, sum]
  console.log(all)
}

export async function withoutMetrics(): Promise<void> {
  const plain = network.compile(options)
  const history = await plain.fit(data)
  // @ts-expect-error: accuracy was not asked for
  history.accuracy
  // @ts-expect-error: nor in records
  for await (const { accuracy } of plain.fit(data)) console.log(accuracy)
}

export async function loose(): Promise<void> {
  const statement = sequential({ input: [2] }, [dense(2)])
  statement.compile({ ...options, metrics: ['accuracy'] })
  for await (const e of statement.fit(data)) {
    const value: number | undefined = e.accuracy
    same<typeof e.loss, number>(true)
    console.log(value, e.anything)
  }
  const { accuracy: column, loss } = await statement.fit(data)
  same<typeof column, number[] | undefined>(true)
  same<typeof loss, number[]>(true)
  const loaded = await loadModel('model.safetensors')
  const found: number | undefined = (await loaded.evaluate(data)).accuracy
  const regression = loaded.compile({ ...options, metrics: [r2(), accuracy(), confusionMatrix()] })
  const { r2: explained }: { r2: number } = await regression.evaluate(data)
  console.log(found, explained)
}

export async function passedOn(): Promise<void> {
  const model = network.compile({ ...options, metrics: ['accuracy'] })
  // A model whose metrics are known is a model.
  const any: Model = model
  await gradientCheck(model, data)
  await sanityCheck(model, data)
  const run: Run<{ accuracy: number }> = model.fit(data)
  const record: EpochRecord<{ accuracy: number }> | null = run.best
  const history: History<{ accuracy: number }> = await run
  const evaluation: Evaluation<{ accuracy: number }> = await model.evaluate(data)
  const looseRun: Run = any.fit(data)
  console.log(record, history, evaluation, looseRun)
}

export function callbacks(): void {
  const model = network.compile({ ...options, metrics: ['accuracy'] })
  model.fit(data, {
    maxSeconds: 60,
    callbacks: [
      ({ record, stop }) => {
        if (record.accuracy > 0.9) stop('good')
      },
      {
        onTrainBegin: () => ({ inspections: { every: 5, histograms: true } }),
        async onEpochEnd({ model: trained, record, history }) {
          const scores = await trained.predict(data.x)
          await trained.save('model.safetensors')
          console.log(scores, record.valAccuracy, history.accuracy.length)
          // @ts-expect-error: a typo
          record.acuracy
          // @ts-expect-error: the native surface is nobody's
          trained.program
        },
        onStepsEnd({ steps, model: trained }) {
          const first: number | undefined = steps.loss[0]
          console.log(first, trained.parameterCount)
        },
        onTrainEnd({ stoppedBy, error }) {
          const reason: string = stoppedBy
          console.log(reason, error)
        },
      },
      monitor(),
      earlyStopping({ monitor: 'valAccuracy' }),
      tensorboard({ dir: 'runs' }),
    ],
  })
  const own: Callback = {
    onEpochEnd: ({ model: trained, record }) => console.log(trained.summary(), record.loss),
  }
  const fitOptions: FitOptions = { callbacks: [own] }
  model.fit(data, { callbacks: [own] })
  sequential({ input: [2] }, [dense(2)]).fit(data, fitOptions)
  // @ts-expect-error: there is no such event
  model.fit(data, { callbacks: [{ onBatchEnd() {} }] })
  // @ts-expect-error: what was not called
  model.fit(data, { callbacks: [earlyStopping] })
  // @ts-expect-error: x and y belong into one object
  model.fit(data.x, data.y, { epochs: 3 })
  // @ts-expect-error: Keras's name
  model.fit(data, { validation_data: data })
}

export function errors(error: unknown): string {
  if (!(error instanceof GradusError)) return ''
  // @ts-expect-error: there is no such code
  if (error.code === 'GRADUS_INVALID_ARGUMNT') return ''
  const { argument, expected }: { argument?: string; expected?: string } = error
  return error.code === 'GRADUS_BUSY' ? 'busy' : `${argument} ${expected}`
}

// @ts-expect-error: internals are not to be seen
network.program
// @ts-expect-error: nor these
network.loss
// @ts-expect-error: nor these
network.copy()
