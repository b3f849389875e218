/** The process of `trainer.ts`. Without its parent it is nobody's, and ends. */
import { GradusError } from '../../errors.js'
import type { StudyDefinition } from '../definition/define-study.js'
import { TrialEnded } from '../definition/trial-function.js'
import { loadStudy } from '../load-study.js'
import { trainTrial } from '../worker/train-trial.js'
import { type Ending, TrialControl } from '../worker/trial-control.js'
import type { TrialReturn } from './messages.js'
import type { FromTrainer, ToTrainer } from './trainer.js'

/** Milliseconds for which a report waits for the master's answer: as long as that answers, a trial ends at the epoch it should. */
const answerWithin = 5000

let definition: StudyDefinition
let current: { readonly control: TrialControl; answered(epoch: number): void } | null = null

process.on('message', (message: ToTrainer) => {
  if (message.type === 'load') void load(message.file)
  else if (message.type === 'train') void train(message)
  else {
    if (message.ending !== null) current?.control.end(message.ending)
    current?.answered(message.epoch)
  }
})
process.on('disconnect', () => process.exit(1))
// A terminal sends these to all processes at once: it is the parent who says what becomes of it.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined)
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

async function load(file: string): Promise<void> {
  try {
    definition = (await loadStudy(file)).definition
    tell({ type: 'loaded' })
  } catch (error) {
    const { code = null, message } = error as { code?: string | undefined; message: string }
    tell({ type: 'failed', code, message })
  }
}

async function train({ order, before }: Extract<ToTrainer, { type: 'train' }>): Promise<void> {
  const waiting = new Map<number, () => void>()
  // Once it has not answered, nobody waits until it is heard of again.
  let isSilent = false
  const control = new TrialControl(
    {
      async report(epoch, value, record) {
        const answered = isSilent || control.signal.aborted ? Promise.resolve() : answerTo(epoch)
        tell({ type: 'report', report: { epoch, value, record } })
        await answered
      },
      ending: async () => null,
      watch: () => () => undefined,
    },
    before,
    // The master decides, and says so in its answer.
    { epochs: order.epochs, decide: async () => 'continue' },
  )
  const answerTo = (epoch: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        isSilent = true
        resolve()
      }, answerWithin)
      waiting.set(epoch, () => {
        clearTimeout(timer)
        resolve()
      })
      // Told to end meanwhile.
      control.signal.addEventListener('abort', () => waiting.get(epoch)?.(), { once: true })
    })
  const answered = (epoch: number) => {
    isSilent = false
    for (const [waits, done] of waiting) {
      if (waits > epoch) continue
      waiting.delete(waits)
      done()
    }
  }
  current = { control, answered }
  const outcome = await outcomeOf(control, () => trainTrial(definition, order, control))
  current = null
  control.close()
  tell({ type: 'outcome', outcome })
}

async function outcomeOf(
  control: TrialControl,
  work: () => ReturnType<typeof trainTrial>,
): Promise<TrialReturn['outcome']> {
  const settled = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  const ending: Ending | null = control.ending
  if (ending !== null) return { type: 'ending', ending }
  if ('value' in settled) return { type: 'value', value: settled.value }
  const { error } = settled
  if (error instanceof TrialEnded) return { type: 'error', code: null, text: `it ended by itself: ${error.message}` }
  const code = error instanceof GradusError ? error.code : null
  const text = code !== null ? String(error) : error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { type: 'error', code, text }
}

function tell(message: FromTrainer): void {
  if (process.connected) process.send!(message, undefined, undefined, () => undefined)
}
