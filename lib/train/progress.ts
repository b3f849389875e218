/** What a run shows: a bar in a terminal, one plain line an epoch everywhere. */
import type { SingleBar } from 'cli-progress'
import type { Callback, CallbackContext } from './callback.js'
import type { EpochRecord } from './history.js'

/** Columns that say nothing new in a line, or only when they are not zero. */
const leftOut = new Set(['epoch', 'seconds', 'samplesPerSecond', 'gradientNorm', 'updateRatio'])
const onlyIfAny = new Set(['regularizationLoss', 'refusedSteps'])

/** Writes to standard output; `fit` adds it unless told to be quiet. */
export function progress(stream: NodeJS.WriteStream = process.stdout): Callback {
  let bar: SingleBar | null = null
  const remove = () => {
    bar?.stop()
    bar = null
  }
  return {
    async onEpochBegin() {
      if (stream.isTTY) bar = await makeBar(stream)
    },
    onStepsEnd({ epoch, epochs, steps }: CallbackContext) {
      if (!bar || !steps) return
      const { rowsDone, rowsTotal, loss, updates } = steps
      const payload = { title: `epoch ${epoch}/${epochs}`, loss: format(loss[updates - 1] as number) }
      // A stream does not say how long it is: the bar then only counts.
      if (!bar.isActive) bar.start(rowsTotal ?? 0, 0, payload)
      bar.update(rowsDone, payload)
    },
    onEpochEnd({ record, epochs }: CallbackContext) {
      remove()
      stream.write(`${epochLine(record as EpochRecord, epochs)}\n`)
    },
    onTrainEnd({ stoppedBy, epoch }: CallbackContext) {
      remove()
      if (stoppedBy !== 'epochs') stream.write(`ended by ${stoppedBy} in epoch ${epoch}\n`)
    },
  }
}

async function makeBar(stream: NodeJS.WriteStream): Promise<SingleBar> {
  const { SingleBar } = (await import('cli-progress')).default
  return new SingleBar({
    stream,
    format: '{title} {bar} {percentage}% · {value} examples · loss {loss}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    clearOnComplete: true,
    hideCursor: true,
  })
}

/** `epoch 3/30 · 1.2 s · 51234 examples/s · loss 0.1234 · accuracy 0.9812`. */
export function epochLine(record: EpochRecord, epochs: number): string {
  const values = Object.entries(record).filter(
    ([name, value]) => typeof value === 'number' && !leftOut.has(name) && !(onlyIfAny.has(name) && value === 0),
  )
  return [
    `epoch ${record.epoch}/${epochs}`,
    `${record.seconds.toFixed(1)} s`,
    `${Math.round(record.samplesPerSecond)} examples/s`,
    ...values.map(([name, value]) => `${name} ${format(value as number)}`),
  ].join(' · ')
}

function format(value: number): string {
  return String(Number(value.toPrecision(4)))
}
