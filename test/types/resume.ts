// Checkpoints, runs that go on, and callbacks with a memory.
import {
  adam,
  type Callback,
  type Checkpoint,
  type CheckpointFacts,
  type CheckpointInfo,
  type CheckpointOptions,
  checkpoint,
  checkpoints,
  dense,
  type Every,
  type FitOptions,
  meanSquaredError,
  sequential,
} from 'gradus'

const model = sequential({ input: [2], seed: 1 }, [dense(1)]).compile({ loss: meanSquaredError(), optimizer: adam() })
const data = { x: new Float32Array(4), y: new Float32Array(2) }

export async function goesOn(): Promise<void> {
  for (const resume of [true, false, 'must', 'runs/other', undefined]) model.fit(data, { dir: 'runs/a', resume })
  // @ts-expect-error: no file by number
  model.fit(data, { dir: 'runs/a', resume: 3 })
  const kept: Checkpoint = checkpoint({ every: { minutes: 5 }, keep: 'all', monitor: 'valLoss', mode: 'min' })
  const path: string | null = kept.path
  const everies: Every[] = ['epoch', { epochs: 2 }, { steps: 100 }, { minutes: 0.5 }]
  const options: CheckpointOptions = { keep: 2, filename: ({ epoch, step, score }) => `${epoch}-${step}-${score}` }
  const named = ({ epoch }: CheckpointFacts): string => `${epoch + 1}`
  const fitOptions: FitOptions = { callbacks: [kept, checkpoint(), checkpoint(options)], resume: 'must', dir: 'runs/a' }
  console.log(path, everies, named, fitOptions)
  // @ts-expect-error: one unit
  checkpoint({ every: { hours: 1 } })
  // @ts-expect-error: a word that is none
  checkpoint({ keep: 'best' })
  // @ts-expect-error: neither
  checkpoint({ mode: 'auto' })
  // @ts-expect-error: what was not called
  model.fit(data, { callbacks: [checkpoint] })
  // @ts-expect-error: it is read only
  kept.path = 'runs'
}

export async function listed(): Promise<void> {
  const found: CheckpointInfo[] = await checkpoints(new URL('file:///runs/a'))
  for (const { path, epoch, step, column, score, record, size, sound, problem } of found) {
    const place: string = path
    const counts: (number | null)[] = [epoch, step, score]
    const texts: (string | null)[] = [column, problem]
    const loss: number | undefined = record?.loss
    console.log(place, counts, texts, loss, size + 1, sound === true)
    // @ts-expect-error: it may be within an epoch
    score.toFixed(2)
  }
}

interface Memory {
  readonly best: number
  readonly weights: Float32Array
}

export function remembers(): void {
  let memory: Memory = { best: Number.POSITIVE_INFINITY, weights: new Float32Array(2) }
  const own: Callback = {
    name: 'own',
    state: (): Memory => memory,
    restore(state: Memory) {
      memory = state
    },
    async onCheckpoint({ epoch }) {
      await Promise.resolve(epoch)
    },
    onEpochEnd({ record }) {
      memory = { ...memory, best: Math.min(memory.best, record.loss) }
    },
  }
  class Kept implements Callback {
    readonly name = 'kept'
    #count = 0
    state(): number {
      return this.#count
    }
    async restore(state: unknown): Promise<void> {
      this.#count = Number(state)
    }
    onEpochBegin(): void {
      this.#count++
    }
  }
  model.fit(data, { dir: 'runs/a', resume: true, callbacks: [own, new Kept(), { state: () => ({ a: [1] }) }] })
  // @ts-expect-error: its name is a text
  model.fit(data, { callbacks: [{ name: 3 }] })
  // @ts-expect-error: what it remembers is given by a function
  model.fit(data, { callbacks: [{ state: { best: 1 } }] })
}
