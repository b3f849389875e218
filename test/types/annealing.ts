// Schedules as a user writes them.
import {
  constant,
  cosine,
  findLearningRate,
  linearRamp,
  type Model,
  reduceOnPlateau,
  type Schedule,
  type TimedSchedule,
  warmup,
} from 'gradus'

declare const model: Model

const schedule: TimedSchedule = warmup({ length: 500, unit: 'step' }).followedBy(cosine({ length: 5000, unit: 'step' }))
const plot: string = schedule.plot({ initial: 0.1, quiet: true })
const own: Schedule = (t, initial) => initial / (1 + t)

export async function example(x: Float32Array, y: Uint8Array): Promise<void> {
  const run = model.fit(
    { x, y },
    { schedule, momentumSchedule: linearRamp({ from: 0.5, to: 0.9, length: 5 }), weightDecaySchedule: own },
  )
  const { momentum, weightDecay } = await run.done
  const last: number | undefined = momentum?.at(-1) ?? weightDecay?.at(-1)
  await model.fit({ x, y }, { schedule: warmup({ length: 3 }).followedBy(reduceOnPlateau({ patience: 2 })) }).done
  const { learningRate, rates } = await findLearningRate(model, { x, y }, { steps: 100 })
  const found: number | null = learningRate
  // @ts-expect-error: there may be none
  const certain: number = learningRate
  // @ts-expect-error: a misspelt option
  constant(0.1, { lenght: 3 })
  // @ts-expect-error: no such unit
  cosine({ length: 3, unit: 'batch' })
  console.log(plot, last, rates.length, found, certain)
}
