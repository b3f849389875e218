/** Workers as tasks of a Slurm array. Those that are started at once are one array; one that is started again is another. */
import { open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { GradusError } from '../../errors.js'
import type { WorkerEnd } from '../worker/worker.js'
import type { Executor, WorkerHandle, WorkerOutcome } from './executor.js'
import {
  cancel,
  cancelPending,
  hasEnded,
  isPending,
  signalTasks,
  submit,
  type TaskState,
  tasksNamed,
  tasksOf,
} from './slurm/commands.js'
import { type Batch, outputOf, type ScriptOptions, writeBatch } from './slurm/script.js'

export interface SlurmOptions extends ScriptOptions {
  /** Whether there is nothing left to do: then nothing is submitted. */
  isDone(): Promise<boolean>
  /** What has happened, for people. */
  onLine(text: string): void
  /** Milliseconds from one squeue to the next, at most. Default 5,000. */
  readonly pollEvery?: number | undefined
}

export function slurm(options: SlurmOptions): Executor {
  const fleet = new Fleet(options)
  return { name: 'slurm', start: (name) => fleet.start(name) }
}

/** Where something happens, or is about to, squeue is asked so often, in milliseconds. */
const soon = 1000
/** What gradus worker ends with when it cannot work, and when it was told to pause. */
const exitCodes = { failed: 2, paused: 130 }
/** By which Slurm says that a task could not begin: its output cannot be opened on that node, mostly. */
const notBegun = 53

class Task implements WorkerHandle {
  readonly process = null
  readonly ended: Promise<WorkerOutcome>
  /** `12_3`; null before it is submitted. */
  id: string | null = null
  /** What it is to do, as far as it does not do so by itself. */
  wish: 'work' | 'pause' | 'end' = 'work'
  isSignalled = false
  isOver = false
  /** At the last look; null before the first. */
  seen: TaskState | null = null
  readonly #slot: string
  readonly #onWish: () => void
  #resolve: (outcome: WorkerOutcome) => void = () => {}

  constructor(slot: string, onWish: () => void) {
    this.#slot = slot
    this.#onWish = onWish
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get name(): string {
    return this.id ?? this.#slot
  }

  pause(): void {
    if (this.wish === 'work') this.wish = 'pause'
    this.#onWish()
  }

  kill(): void {
    this.wish = 'end'
    this.#onWish()
  }

  end(outcome: WorkerOutcome): void {
    this.isOver = true
    this.#resolve(outcome)
  }
}

class Fleet {
  readonly #options: SlurmOptions
  #tasks: Task[] = []
  #batch: Batch | null = null
  /** How a worker has ended that has found nothing left to do: then there is nothing for any other. */
  #end: WorkerEnd | null = null
  #isAtWork = false
  #wake = new AbortController()
  /** What was told last of what tasks wait for, and of squeue. */
  #told = ''

  constructor(options: SlurmOptions) {
    this.#options = options
  }

  start(slot: string): Task {
    const task = new Task(slot, () => this.#wake.abort())
    this.#tasks.push(task)
    if (this.#isAtWork) this.#wake.abort()
    else {
      this.#isAtWork = true
      // All that are started now are submitted together.
      setImmediate(() => void this.#work())
    }
    return task
  }

  /** Until all tasks have ended. */
  async #work(): Promise<void> {
    for (let delay = soon; ; ) {
      await this.#submit(this.#tasks.filter(({ id }) => id === null))
      await this.#cancel()
      this.#tasks = this.#tasks.filter(({ isOver }) => !isOver)
      if (this.#tasks.length === 0) break
      const isHurried = this.#tasks.some(({ wish }) => wish !== 'work')
      const most = this.#options.pollEvery ?? 5000
      await this.#sleep(Math.min(most, isHurried ? soon : delay))
      delay = (await this.#look()) ? soon : 1.5 * delay
    }
    this.#isAtWork = false
  }

  async #sleep(milliseconds: number): Promise<void> {
    await setTimeout(milliseconds, undefined, { signal: this.#wake.signal }).catch(() => undefined)
    this.#wake = new AbortController()
  }

  async #submit(tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) if (this.#end !== null || task.wish !== 'work') task.end(this.#end ?? 'paused')
    const wanted = tasks.filter(({ isOver }) => !isOver)
    if (wanted.length === 0) return
    const isFirst = this.#batch === null
    try {
      this.#batch ??= await writeBatch(this.#options)
      if (isFirst) await this.#takeOver(wanted, this.#batch)
      const missing = wanted.filter(({ id }) => id === null)
      if (missing.length === 0) return
      if (await this.#options.isDone()) {
        for (const task of missing) task.end('done')
        return
      }
      const job = await submit(this.#batch, missing.length)
      for (const [i, task] of missing.entries()) task.id = `${job}_${i + 1}`
      this.#line(`submitted job ${job}, ${missing.length === 1 ? 'one task' : `${missing.length} tasks`}`)
    } catch (error) {
      if (!(error instanceof GradusError)) throw error
      // What was refused at once will be again; later on Slurm may just be away.
      const outcome = isFirst ? { failed: error } : { crashed: error.message }
      for (const task of wanted) if (task.id === null) task.end(outcome)
    }
  }

  /** What a master before this one has left; more than are wanted pause. */
  async #takeOver(wanted: readonly Task[], { jobName }: Batch): Promise<void> {
    const left = (await tasksNamed(jobName)).map(({ task }) => task)
    for (const [i, id] of left.slice(0, wanted.length).entries()) wanted[i]!.id = id
    if (left.length > 0) this.#line(`there are workers already: ${left.join(', ')}`)
    const more = left.slice(wanted.length)
    if (more.length === 0) return
    await cancelPending(more)
    await signalTasks(more)
  }

  /** Has tasks end that are to; what could not be told now is told after the next look. */
  async #cancel(): Promise<void> {
    const known = this.#tasks.filter(({ id, isOver }) => id !== null && !isOver)
    const ended = known.filter(({ wish }) => wish === 'end')
    const [pausing, names] = [
      known.filter(({ wish }) => wish === 'pause'),
      (tasks: Task[]) => tasks.map(({ id }) => id!),
    ]
    const pending = pausing.filter(({ seen }) => seen !== null && isPending(seen))
    const running = pausing.filter(({ seen, isSignalled }) => seen?.state === 'RUNNING' && !isSignalled)
    try {
      if (ended.length > 0) await cancel(names(ended))
      for (const task of ended) task.end('paused')
      if (pending.length > 0) await cancelPending(names(pending))
      if (running.length > 0) await signalTasks(names(running))
      for (const task of running) task.isSignalled = true
    } catch (error) {
      this.#tell((error as Error).message)
      for (const task of ended) task.end('paused')
    }
  }

  /** Whether something has happened. */
  async #look(): Promise<boolean> {
    const tasks = this.#tasks.filter(({ id }) => id !== null)
    if (tasks.length === 0) return false
    let found: TaskState[]
    try {
      found = await tasksOf([...new Set(tasks.map(({ id }) => id!.split('_')[0]!))])
    } catch (error) {
      // It may be started anew; the workers do not need it.
      this.#tell(`${(error as Error).message}; it is asked again`)
      return false
    }
    const states = new Map(found.map((state) => [state.task, state]))
    let isNews = false
    for (const task of tasks) {
      const now = states.get(task.id!) ?? null
      isNews ||= now?.state !== task.seen?.state
      task.seen = now
      if (now === null) task.end(task.wish === 'work' ? { crashed: 'Slurm does not know it any more' } : 'paused')
      else if (hasEnded(now)) task.end(await this.#outcomeOf(task, now))
    }
    if (this.#end !== null) for (const task of tasks) if (task.seen && isPending(task.seen)) task.pause()
    this.#tellReasons(tasks)
    return isNews
  }

  async #outcomeOf({ wish, id }: Task, { state, status, node }: TaskState): Promise<WorkerOutcome> {
    const [code, signal] = [status >> 8, status & 127]
    if (state === 'COMPLETED') {
      this.#end = (await this.#lastLine(id!)).endsWith(': exhausted') ? 'exhausted' : 'done'
      return this.#end
    }
    // By whoever: a task that a person has cancelled is not wanted any more.
    if (state === 'CANCELLED' || wish !== 'work') return this.#end ?? 'paused'
    if (state === 'FAILED' && (code === exitCodes.failed || signal === notBegun)) {
      const text = (await this.#lastLine(id!)).replace(/^gradus: /, '')
      return { failed: new GradusError('GRADUS_SEARCH_FAILED', `task ${id} on ${node}: ${text || this.#mute(id!)}`) }
    }
    if (state === 'FAILED' && code === exitCodes.paused)
      return { crashed: 'it was told to pause, as by its time limit' }
    if (state !== 'FAILED') return { crashed: state }
    const how = signal > 0 ? `signal ${signal}` : `exit code ${code}`
    return { crashed: `${how} on ${node}: ${(await this.#lastLine(id!)) || this.#mute(id!)}` }
  }

  readonly #mute = (id: string): string =>
    `it has written nothing to ${outputOf(this.#options.dir, id)}: expected a folder that all nodes share`

  /** Of what a task has written; empty where there is none. */
  async #lastLine(id: string): Promise<string> {
    try {
      await using file = await open(outputOf(this.#options.dir, id))
      const { size } = await file.stat()
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(4096), position: Math.max(0, size - 4096) })
      return buffer.toString('utf8', 0, bytesRead).trim().split('\n').at(-1)!
    } catch {
      return ''
    }
  }

  #tellReasons(tasks: readonly Task[]): void {
    const waiting = tasks.flatMap(({ seen, wish }) => (seen && isPending(seen) && wish === 'work' ? [seen.reason] : []))
    const reasons = [...new Set(waiting)].filter((reason) => reason !== 'None')
    if (reasons.length > 0) this.#tell(`tasks wait: ${reasons.join(', ')}`)
  }

  /** Once, until there is something else to tell. */
  #tell(text: string): void {
    if (text !== this.#told) this.#line(text)
    this.#told = text
  }

  #line(text: string): void {
    this.#options.onLine(`slurm: ${text}`)
  }
}
