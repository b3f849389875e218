/** What a run shows: a bar and the loss so far in a terminal, one plain line an epoch everywhere. */
import type { Callback, EndContext, EpochContext, RunContext, StepsContext, StepsReport } from './callback.js'
import type { EpochRecord } from './history.js'
import { LiveLines } from './live-lines.js'
import { LossCurve } from './loss-curve.js'

/** Columns that say nothing new in a line, or only when they are not zero. */
const leftOut = new Set(['epoch', 'seconds', 'samplesPerSecond', 'gradientNorm', 'updateRatio'])
const onlyIfAny = new Set(['regularizationLoss', 'refusedSteps'])

/** Below this a terminal has room for the bar alone. */
const room = { columns: 80, rows: 12 }

/**
 * Writes to standard error, which leaves standard output to results; `fit` adds it unless told to be quiet.
 *
 * @param interval least milliseconds from one picture to the next
 * @param now milliseconds from some moment on
 */
export function progress(
  stream: NodeJS.WriteStream = process.stderr,
  interval = 200,
  now: () => number = () => performance.now(),
): Callback {
  const live = new LiveLines(stream)
  const isLive = stream.isTTY && process.env.TERM !== 'dumb'
  let curve = new LossCurve()
  let drawn = Number.NEGATIVE_INFINITY
  let wentOn = false
  return {
    onTrainBegin() {
      curve = new LossCurve()
      drawn = Number.NEGATIVE_INFINITY
      wentOn = false
      live.open()
    },
    onEpochBegin({ call, epoch, epochs }: RunContext) {
      const from = wentOn ? null : call.lineage?.from
      wentOn = true
      if (from)
        live.print(`goes on at step ${from.step.toLocaleString('en')} in epoch ${epoch} of ${epochs} (${from.path})`)
    },
    onStepsEnd({ epoch, epochs, steps }: StepsContext) {
      if (!isLive) return
      for (let i = 0; i < steps.updates; i++) if (!steps.refused[i]) curve.add(steps.loss[i]!)
      if (now() - drawn < interval) return
      drawn = now()
      const hasRoom = stream.columns >= room.columns && stream.rows >= room.rows
      live.draw([barLine(`epoch ${epoch}/${epochs}`, steps), ...(hasRoom ? curve.lines() : [])])
    },
    onEpochEnd({ record, epochs }: EpochContext) {
      live.print(epochLine(record, epochs))
    },
    onTrainEnd({ call, stoppedBy, epoch, epochs, error }: EndContext) {
      live.clear()
      const from = wentOn || error !== undefined ? null : call.lineage?.from
      if (from) live.print(`the run had ended: by ${stoppedBy}, in epoch ${epoch} of ${epochs} (${from.path})`)
      else if (stoppedBy !== 'epochs') live.print(`ended by ${stoppedBy} in epoch ${epoch}`)
      live.close()
    },
  }
}

/** `epoch 3/30 ██████████░░░░░░░░░░░░░░ 43% · 12900 examples · loss 0.1234`. */
function barLine(title: string, { rowsDone, rowsTotal, loss, updates }: StepsReport): string {
  const about = `${rowsDone} examples · loss ${format(loss[updates - 1]!)}`
  // A stream does not say how long it is: there is only a count.
  if (rowsTotal === null) return `${title} · ${about}`
  const share = rowsDone / rowsTotal
  const bar = '█'.repeat(Math.round(24 * share)).padEnd(24, '░')
  return `${title} ${bar} ${Math.floor(100 * share)}% · ${about}`
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
