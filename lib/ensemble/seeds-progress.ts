/** What is shown of several fits: in a terminal one line for all of them, and a plain line for each that is done. */
import type { Callback, EndContext, RunContext, StepsContext } from '../train/callback.js'
import { LiveLines } from '../train/live-lines.js'
import { epochLine } from '../train/progress.js'
import { short } from '../words.js'

interface Shown {
  readonly share: number
  readonly text: string
}

export class SeedsProgress {
  readonly #members: number
  readonly #live: LiveLines
  readonly #isLive: boolean
  readonly #interval: number
  readonly #now: () => number
  readonly #under = new Map<number, Shown>()
  #done = 0
  #manner = ''
  #drawn = Number.NEGATIVE_INFINITY

  /** @param interval least milliseconds from one picture to the next */
  constructor(
    members: number,
    stream: NodeJS.WriteStream = process.stderr,
    interval = 200,
    now: () => number = () => performance.now(),
  ) {
    this.#members = members
    this.#live = new LiveLines(stream)
    this.#isLive = stream.isTTY && process.env.TERM !== 'dumb'
    this.#interval = interval
    this.#now = now
    this.#live.open()
  }

  /** How they are trained, in words: `measuring`, `2 at once`. */
  say(manner: string): void {
    this.#manner = manner
    this.#draw(true)
  }

  /** For the fit of a member. */
  of(seed: number): Callback {
    return {
      onEpochBegin: ({ epoch, epochs }: RunContext) => {
        this.#under.set(seed, { share: (epoch - 1) / epochs, text: `seed ${seed} epoch ${epoch}/${epochs}` })
        this.#draw()
      },
      onStepsEnd: ({ epoch, epochs, steps: { rowsDone, rowsTotal, loss, updates } }: StepsContext) => {
        const share = (epoch - 1 + (rowsTotal ? rowsDone / rowsTotal : 0)) / epochs
        const text = `seed ${seed} epoch ${epoch}/${epochs} loss ${short(loss[updates - 1]!)}`
        this.#under.set(seed, { share, text })
        this.#draw()
      },
      onTrainEnd: ({ error, call, epochs, history, epoch }: EndContext) => {
        this.#under.delete(seed)
        if (error !== undefined) return
        this.#done++
        const record = Object.fromEntries(
          Object.entries(history).flatMap(([name, column]) => (Array.isArray(column) ? [[name, column.at(-1)]] : [])),
        )
        // Of a run that had ended before there is no pace to tell of.
        const isNew = call?.lineage?.from === null || call?.lineage === null
        const what = history.epochs > 0 ? epochLine({ ...record, epoch } as never, epochs) : 'no epoch'
        this.#live.print(`seed ${seed} · ${what}${isNew ? '' : ' (went on)'}`)
        this.#draw(true)
      },
    }
  }

  close(): void {
    this.#live.clear()
    this.#live.close()
  }

  #draw(isNews = false): void {
    if (!this.#isLive || !(isNews || this.#now() - this.#drawn >= this.#interval)) return
    this.#drawn = this.#now()
    this.#live.draw([this.line()])
  }

  /** `5 members ██████████░░░░░░░░░░░░░░ 43% · 2 at once · seed 3 epoch 4/10 loss 0.1234 · seed 4 epoch 2/10 loss 0.2345`. */
  line(): string {
    const under = [...this.#under.values()]
    const share = (this.#done + under.reduce((sum, { share }) => sum + share, 0)) / this.#members
    const bar = '█'.repeat(Math.round(24 * share)).padEnd(24, '░')
    const manner = this.#manner === '' ? [] : [this.#manner]
    return [
      `${this.#members} members ${bar} ${Math.floor(100 * share)}%`,
      ...manner,
      ...under.map(({ text }) => text),
    ].join(' · ')
  }
}
