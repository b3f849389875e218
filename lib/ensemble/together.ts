/** The members' programs as one that predicts. */
import { product } from '../data/column.js'
import { hostOf } from '../model/host.js'
import {
  type EvaluateResult,
  type FloatArray,
  type NativeDataset,
  type NativePredictor,
  type NativeProgram,
  native,
  type PredictCall,
  type TypedArray,
} from '../native.js'
import type { Combine } from './ensemble.js'
import type { Member } from './members.js'

type Link = 'softmax' | 'sigmoid'

export class Together implements NativePredictor {
  readonly programs: readonly NativeProgram[]
  readonly dtype: NativePredictor['dtype']
  readonly metricWidths: number[]
  readonly #first: Member
  readonly #weights: readonly number[]
  readonly #combine: Combine
  readonly #temperature: number
  readonly #link: Link | undefined
  #scorer: NativeProgram | undefined

  constructor(
    members: readonly Member[],
    programs: readonly NativeProgram[],
    weights: readonly number[],
    combine: Combine,
    temperature: number,
    link: Link | undefined,
  ) {
    this.#first = members[0]!
    this.programs = programs
    this.dtype = programs[0]!.dtype
    this.metricWidths = programs[0]!.metricWidths
    this.#weights = weights
    this.#combine = combine
    this.#temperature = temperature
    this.#link = link
  }

  get #columns(): number {
    return product(this.programs[0]!.outputShape)
  }

  async #scores(call: PredictCall): Promise<FloatArray[]> {
    const scores: FloatArray[] = []
    for (const program of this.programs) scores.push(await program.predict(call))
    return scores
  }

  async predict({ link, ...call }: PredictCall & { link?: Link | undefined }): Promise<FloatArray> {
    const combined = this.#combined(await this.#scores(call))
    return link ? this.#probabilities(combined, link) : combined
  }

  async predictSpread(call: PredictCall): Promise<FloatArray[]> {
    const scores = await this.#scores(call)
    const values = scores.map((of) => (this.#link ? this.#probabilities(of, this.#link) : of))
    const spread = values[0]!.map((_, i) => {
      const mean = this.#mean((m) => values[m]![i]!)
      return Math.sqrt(this.#mean((m) => (values[m]![i]! - mean) ** 2))
    })
    return [this.#combined(scores), spread]
  }

  predictRows(rows: number, batchSize: number, to: FloatArray, ...inputs: (TypedArray | number)[]): void {
    const Type = to.constructor as Float64ArrayConstructor
    const scores = this.programs.map((program) => {
      const of = new Type(rows * this.#columns)
      program.predictRows(rows, batchSize, of, ...inputs)
      return of
    })
    to.set(this.#combined(scores))
  }

  async evaluate(call: Parameters<NativePredictor['evaluate']>[0]): Promise<EvaluateResult> {
    const { dataset, metricSums, threads, batchSize } = call
    const scores = this.#combined(await this.#scores({ dataset, threads, batchSize }))
    const scored = this.#dataset(dataset, scores)
    try {
      const result = await this.#scoring().evaluate({ dataset: scored, threads, batchSize, metricSums })
      const none = await Promise.all(this.programs.map((program) => regularization(program, dataset)))
      return { ...result, regularizationLoss: this.#mean((m) => none[m]!) }
    } finally {
      scored.dispose()
    }
  }

  /** A program of no layers with the loss and the metrics. */
  #scoring(): NativeProgram {
    const { lowered, compiled } = this.#first.parts()
    const { loss, metrics, dtype } = this.#first.descriptor
    const shape = [...this.#first.outputShape]
    const nodes = [{ op: 'reshape', name: 'scores', inputs: [0], shape }]
    const inputs = [{ name: 'scores', shape, kind: 'real' as const }]
    const descriptor = { dtype, seed: 1, inputs, nodes, parameters: [], output: 1, loss, metrics }
    this.#scorer ??= new native.Program(descriptor, hostOf(lowered, { ...compiled, optimizer: undefined }))
    return this.#scorer
  }

  #dataset(of: NativeDataset, scores: FloatArray): NativeDataset {
    const rows = of.size
    const shape = [...this.#first.outputShape]
    const target = of.read('target', 0, 0, rows)
    const type = target instanceof Int32Array ? 'int32' : target instanceof Float64Array ? 'float64' : 'float32'
    const width = target.length / rows
    const weights = weightsOf(of, rows)
    const made = new native.Dataset(
      rows,
      [{ name: 'scores', type: this.dtype, shape }],
      { name: 'y', type, shape: width === 1 && type === 'int32' ? [] : shape },
      weights && { name: 'sampleWeights', type: weights instanceof Float64Array ? 'float64' : 'float32', shape: [] },
      true,
    )
    made.write('input', 0, 0, scores)
    made.write('target', 0, 0, target)
    if (weights) made.write('weight', 0, 0, weights)
    return made
  }

  #mean(of: (member: number) => number): number {
    return this.#weights.reduce((sum, weight, m) => (weight === 0 ? sum : sum + weight * of(m)), 0)
  }

  #probabilities(scores: FloatArray, link: Link): FloatArray {
    const logs = this.#logs(scores, link)
    return logs.map((log) => Math.exp(log)) as FloatArray
  }

  #logs(scores: FloatArray, link: Link): FloatArray {
    if (link === 'sigmoid') return scores.map(logSigmoid) as FloatArray
    const columns = this.#columns
    const logs = scores.slice() as FloatArray
    for (let at = 0; at < logs.length; at += columns) {
      const row = logs.subarray(at, at + columns)
      const log = logSum(Array.from(row))
      for (let i = 0; i < columns; i++) row[i] = row[i]! - log
    }
    return logs
  }

  #combined(scores: FloatArray[]): FloatArray {
    const only = this.#weights.indexOf(1)
    const combined = only >= 0 ? scores[only]!.slice() : this.#combineAll(scores)
    return combined.map((score) => score / this.#temperature) as FloatArray
  }

  #combineAll(scores: FloatArray[]): FloatArray {
    const link = this.#link
    const each = (of: (i: number) => number) => scores[0]!.map((_, i) => of(i)) as FloatArray
    if (this.#combine === 'vote') return this.#votes(scores)
    if (this.#combine === 'scores' || !link || (this.#combine === 'geometric' && link === 'sigmoid')) {
      return each((i) => this.#mean((m) => scores[m]![i]!))
    }
    const logs = scores.map((of) => this.#logs(of, link))
    if (this.#combine === 'geometric') return each((i) => this.#mean((m) => logs[m]![i]!))
    const logMean = (of: readonly FloatArray[], i: number) =>
      logSum(
        this.#weights.map((weight, m) => (weight === 0 ? Number.NEGATIVE_INFINITY : of[m]![i]! + Math.log(weight))),
      )
    if (link === 'softmax') return each((i) => logMean(logs, i))
    const others = scores.map((of) => this.#logs(of.map((score) => -score) as FloatArray, link))
    return each((i) => logMean(logs, i) - logMean(others, i))
  }

  #votes(scores: FloatArray[]): FloatArray {
    const columns = this.#columns
    const floor = (share: number) => Math.log(Math.max(share, 1e-7))
    return scores[0]!.map((_, i) => {
      if (this.#link === 'sigmoid') {
        return (
          floor(this.#mean((m) => Number(scores[m]![i]! > 0))) - floor(this.#mean((m) => Number(!(scores[m]![i]! > 0))))
        )
      }
      const first = Math.floor(i / columns) * columns
      const votesFor = (of: FloatArray) => Number(first + largestOf(of.subarray(first, first + columns)) === i)
      return floor(this.#mean((m) => votesFor(scores[m]!)))
    }) as FloatArray
  }

  stop(): void {
    for (const program of this.programs) program.stop()
  }

  dispose(): void {
    this.#scorer?.dispose()
  }
}

const logSigmoid = (score: number) => Math.min(score, 0) - Math.log1p(Math.exp(-Math.abs(score)))

function logSum(logs: readonly number[]): number {
  const largest = Math.max(...logs)
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0))
}

function largestOf(row: FloatArray): number {
  let best = 0
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i
  return best
}

const regularization = async (program: NativeProgram, dataset: NativeDataset): Promise<number> =>
  (await program.evaluate({ dataset: dataset.subset(Uint32Array.of(0)), batchSize: 1, threads: 1 })).regularizationLoss

function weightsOf(of: NativeDataset, rows: number): FloatArray | null {
  try {
    return of.read('weight', 0, 0, rows) as FloatArray
  } catch {
    return null
  }
}
