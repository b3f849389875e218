/** A job under way at its worker: fetched, trained, sent as it gets on, and told of until the master has heard it. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrialOrder } from '../worker/train-trial.js'
import type { Ending } from '../worker/trial-control.js'
import type { WorkerEvent } from '../worker/worker.js'
import type { Artifacts } from './artifacts.js'
import type { Job } from './broker.js'
import * as messages from './messages.js'
import { fetchRun, RunSender } from './run-files.js'
import type { Trainer } from './trainer.js'

/** Milliseconds. */
const shortTrial = 50

export interface JobRunOptions {
  /** Nobody else's try at any job has it. */
  readonly execution: string
  readonly node: string
  /** Where trials lie as long as they are trained here. */
  readonly folder: string
  readonly threads: number
  readonly sendEvery: number
  artifacts(): Artifacts
  tell(progress: messages.TrialProgress): Promise<void>
  /** The job's data as they are now. */
  dataNow(): Promise<unknown>
}

export class JobRun {
  readonly #job: Job
  readonly #options: JobRunOptions
  readonly #dir: string
  readonly #reports: messages.TrialReport[] = []
  /** The run's directory as it was sent last. */
  #files: readonly messages.FileEntry[] | null = null
  #sendings = 0
  #areFilesTold = true
  #ending: Ending | null = null
  #trainer: Trainer | null = null
  #sender: RunSender | null = null
  #sent = performance.now()
  #sending: Promise<void> | null = null
  #telling: Promise<void> | null = null
  #hasNews = false

  constructor(job: Job, options: JobRunOptions) {
    this.#job = job
    this.#options = options
    this.#dir = join(options.folder, options.execution)
  }

  /** @throws `GRADUS_SEARCH_FAILED` when the process that trains has died; `GRADUS_ARTIFACT` */
  async train(trainer: Trainer, onEvent?: (event: WorkerEvent) => void): Promise<messages.TrialReturn> {
    const data = messages.read(`job ${this.#job.id}`, this.#job.data, messages.jobOf)
    const { trial, params, ending } = data
    onEvent?.({ type: 'begin', trial, params, goesOn: data.resume })
    this.#ending ??= ending
    // Of what is done at once, the end is all that has to be told.
    const begun = setTimeout(() => this.#tell(), shortTrial)
    const timer = setInterval(() => this.#look(), Math.min(1000, this.#options.sendEvery))
    try {
      const outcome = this.#ending
        ? ({ type: 'ending', ending: this.#ending } as const)
        : await this.#train(trainer, data, onEvent)
      await this.#sending
      // Before the end is told: whoever goes on needs what lies there.
      if (this.#sender && !(outcome.type === 'ending' && outcome.ending.how === 'lost')) await this.#send()
      await this.#telling
      return { ...this.progress(), files: this.#files, outcome }
    } finally {
      clearTimeout(begun)
      clearInterval(timer)
      this.#trainer = null
      await rm(this.#dir, { recursive: true, force: true }).catch(() => undefined)
    }
  }

  /** What the master has not answered yet. */
  progress(): messages.TrialProgress {
    const { execution, node } = this.#options
    return {
      execution,
      node,
      attempt: Math.max(1, this.#job.attemptsStarted),
      reports: [...this.#reports],
      files: this.#areFilesTold ? null : this.#files,
      sendings: this.#sendings,
    }
  }

  answered({ job, epoch, ending }: Extract<messages.ToWorker, { type: 'answer' }>): void {
    if (job !== this.#job.id) return
    while (this.#reports.length > 0 && this.#reports[0]!.epoch <= epoch) this.#reports.shift()
    this.#ending ??= ending
    this.#trainer?.answer(epoch, ending)
  }

  end(ending: Ending): void {
    this.#ending ??= ending
    this.#trainer?.answer(0, ending)
  }

  async #train(
    trainer: Trainer,
    data: messages.TrialJob,
    onEvent?: (event: WorkerEvent) => void,
  ): Promise<messages.TrialReturn['outcome']> {
    const { trial, params, seed, epochs, resume, files, initial, isHeir, epoch, value } = data
    const artifacts = this.#options.artifacts()
    const dir = join(this.#dir, 'run')
    await fetchRun(dir, files, artifacts)
    if (initial) await artifacts.get(initial, join(this.#dir, initial.path))
    const order: TrialOrder = {
      ...{ number: trial, params, seed, epochs, isHeir, resume, dir, threads: this.#options.threads },
      initial: initial && join(this.#dir, initial.path),
    }
    this.#sender = new RunSender(dir, artifacts, files)
    this.#trainer = trainer
    const training = trainer.train(order, { epoch, value }, (report) => {
      this.#reports.push(report)
      onEvent?.({ type: 'report', trial, epoch: report.epoch, value: report.value })
      this.#tell()
    })
    if (this.#ending) trainer.answer(0, this.#ending)
    return await training
  }

  /** Now and then: sends what is new, tells again what has not been answered, and looks whether the job says that it is to end. */
  #look(): void {
    if (performance.now() - this.#sent < this.#options.sendEvery || this.#sending !== null) return
    this.#sent = performance.now()
    this.#sending = this.#sendNew()
      // What is not there now comes with the next, or with the end.
      .catch(() => undefined)
      .finally(() => {
        this.#sending = null
      })
    if (this.#reports.length > 0) this.#tell()
    void this.#lookAtJob().catch(() => undefined)
    // For a master that comes later, and for whoever looks at the queue.
    void this.#job.updateProgress(messages.progressData(this.progress()) as object).catch(() => undefined)
  }

  async #sendNew(): Promise<void> {
    if (!(await this.#sender?.hasNew())) return
    await this.#send()
    this.#tell()
  }

  async #send(): Promise<void> {
    this.#files = (await this.#sender?.send()) ?? null
    this.#sendings++
    this.#areFilesTold = false
  }

  async #lookAtJob(): Promise<void> {
    const data = await this.#options.dataNow()
    if (data === undefined) return
    const { ending } = messages.read(`job ${this.#job.id}`, data, messages.jobOf)
    if (ending !== null && this.#ending === null) this.end(ending)
  }

  /** One after the other; what comes meanwhile goes with the next. */
  #tell(): void {
    this.#hasNews = true
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null
    })
  }

  async #tellAll(): Promise<void> {
    while (this.#hasNews) {
      this.#hasNews = false
      const files = this.#files
      const isTold = await this.#options.tell(this.progress()).then(
        () => true,
        () => false,
      )
      if (isTold && this.#files === files) this.#areFilesTold = true
    }
  }
}
