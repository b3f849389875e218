/** The process in which a worker of a queue trains: it says nothing to the queue itself, so that training holds up nobody. */
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { GradusError } from '../../errors.js'
import type { TrialOrder } from '../worker/train-trial.js'
import type { Ending } from '../worker/trial-control.js'
import type { TrialReport, TrialReturn } from './messages.js'

export type ToTrainer =
  | { readonly type: 'load'; readonly file: string }
  | {
      readonly type: 'train'
      readonly order: TrialOrder
      readonly before: { readonly epoch: number; readonly value: number | null }
    }
  | { readonly type: 'answer'; readonly epoch: number; readonly ending: Ending | null }

export type FromTrainer =
  | { readonly type: 'loaded' }
  | { readonly type: 'failed'; readonly code: string | null; readonly message: string }
  | { readonly type: 'report'; readonly report: TrialReport }
  | { readonly type: 'outcome'; readonly outcome: TrialReturn['outcome'] }

const script = fileURLToPath(new URL('./trainer-process.js', import.meta.url))

export class Trainer {
  readonly #child: ChildProcess
  readonly #died: Promise<never>
  #onMessage: (message: FromTrainer) => void = () => undefined

  constructor(onOutput: (line: string) => void) {
    const execArgv = process.execArgv.filter((one) => !one.startsWith('--inspect'))
    // Numbers that JSON does not know come through.
    this.#child = fork(script, { execArgv, serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on('line', onOutput)
    }
    this.#child.on('message', (message: FromTrainer) => this.#onMessage(message))
    this.#died = new Promise((_, reject) => {
      const dead = (how: unknown) =>
        reject(new GradusError('GRADUS_SEARCH_FAILED', `the process that trains has died (${how})`))
      this.#child.once('error', ({ message }) => dead(message))
      this.#child.once('close', (code, signal) => dead(signal ?? `exit code ${code}`))
    })
    this.#died.catch(() => undefined)
  }

  /** Loads the study's file. @throws what loading it throws */
  async load(file: string): Promise<void> {
    const loaded = new Promise<void>((resolve, reject) => {
      this.#onMessage = (message) => {
        if (message.type === 'loaded') resolve()
        else if (message.type === 'failed')
          reject(new GradusError((message.code ?? 'GRADUS_BAD_FILE') as never, message.message))
      }
    })
    this.#send({ type: 'load', file })
    await Promise.race([loaded, this.#died])
  }

  /** Trains one trial. @throws `GRADUS_SEARCH_FAILED` when its process dies of it */
  async train(
    order: TrialOrder,
    before: { readonly epoch: number; readonly value: number | null },
    onReport: (report: TrialReport) => void,
  ): Promise<TrialReturn['outcome']> {
    const outcome = new Promise<TrialReturn['outcome']>((resolve) => {
      this.#onMessage = (message) => {
        if (message.type === 'report') onReport(message.report)
        else if (message.type === 'outcome') resolve(message.outcome)
      }
    })
    this.#send({ type: 'train', order, before })
    return await Promise.race([outcome, this.#died])
  }

  /** What the master says to a report, or anew. */
  answer(epoch: number, ending: Ending | null): void {
    this.#send({ type: 'answer', epoch, ending })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #send(message: ToTrainer): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }
}
