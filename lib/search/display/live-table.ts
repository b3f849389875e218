/** A study that runs, as lines of a terminal. */
import { durationText, metricText, paramsText, roughly } from './numbers.js'
import { parameterColumns } from './parameters.js'
import { tableLines } from './table.js'
import type { RunningTrial, StudyView } from './view.js'

const barWidth = 28

/** What stands at the bottom of the terminal as long as the study runs, so many columns wide, and so many rows high, at most. */
export function liveLines(view: StudyView, { columns = 80, rows = 24 } = {}): string[] {
  const head = [headerLine(view), ...bestLine(view), barLine(view)]
  const room = rows - head.length - 3
  const table = view.running.length > 0 && room > 0 ? runningLines(view, columns, room) : []
  return [...head, ...table]
}

/** `studies/mnist · stage 2 of 3, 5 epochs · 71 of 100 trials · 2 workers · 4 min 12 s · about 2 min left`. */
export function headerLine(view: StudyView): string {
  const { name, stage, epochs, done, trials, workers, seconds, secondsLeft } = view
  const parts = [
    name,
    ...(stage ? [`stage ${stage.number} of ${stage.of}${epochs === null ? '' : `, ${counted(epochs, 'epoch')}`}`] : []),
    `${done.toLocaleString('en')} of ${counted(trials, 'trial')}`,
    counted(workers, 'worker'),
    durationText(seconds),
    ...(secondsLeft === null || done >= trials ? [] : [`about ${roughly(secondsLeft)} left`]),
  ]
  return parts.join(' · ')
}

const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`

/** `best valAccuracy 0.9831 (trial 64): learningRate 0.0021, l2 3.1e-5`; nothing as long as there is none. */
export function bestLine({ best, metric }: StudyView): string[] {
  if (best === null) return []
  return [`best ${metric} ${metricText(best.value)} (trial ${best.number}): ${paramsText(best.params)}`]
}

/** `████░░ 71 %   complete 41 · paused 17`. */
function barLine({ done, trials, counts }: StudyView): string {
  const share = trials === 0 ? 0 : done / trials
  const bar = '█'.repeat(Math.round(barWidth * share)).padEnd(barWidth, '░')
  const states = counts.map(([state, count]) => `${state} ${count.toLocaleString('en')}`).join(' · ')
  return `${bar} ${Math.floor(100 * share)} %   ${states}`.trimEnd()
}

function runningLines({ running, metric, epochs }: StudyView, columns: number, room: number): string[] {
  const shown = running.slice(0, room)
  const epochText = ({ epoch }: RunningTrial) => (epochs === null ? String(epoch) : `${epoch}/${epochs}`)
  const { lines } = tableLines(
    [
      { title: 'trial', isNumber: true, text: ({ number }) => String(number) },
      { title: 'worker', text: ({ worker, isStuck }) => (isStuck ? `${worker} stuck` : worker) },
      { title: 'epoch', isNumber: true, text: epochText },
      { title: metric, isNumber: true, text: ({ value }) => metricText(value) },
      ...parameterColumns(shown),
    ],
    shown,
    columns - 1,
  )
  const more = running.length - shown.length
  return more > 0 ? [...lines, `and ${more} more`] : lines
}
