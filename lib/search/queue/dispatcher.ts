/** The master's side of a queue: claimed trials go out as jobs, what workers tell of them comes back. */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { GradusError } from '../../errors.js'
import type { HeldTrial, Trial } from '../../study/index.js'
import type { Training } from '../worker/run-trial.js'
import { orderOf } from '../worker/train-trial.js'
import { type ArtifactFolder, type Artifacts, sha256Of } from './artifacts.js'
import type { Broker, Queue, Relay } from './broker.js'
import { Exchange } from './exchange.js'
import { Fleet, type FleetOptions } from './fleet.js'
import * as messages from './messages.js'
import { notePlaced, offerRun, placeRun, readPlaced } from './run-files.js'

export interface DispatcherOptions {
  readonly broker: Broker
  /** What workers know the study by. */
  readonly queue: string
  /** Which study it is, by its folder. */
  readonly study: string
  readonly artifacts: ArtifactFolder
  readonly fleet: Omit<FleetOptions, 'send' | 'onChange' | 'onLine'>
  /** A trial as the folder tells of it. */
  trialOf(number: number): Trial | null
  readonly retries: number
  readonly lease: number
  /** Milliseconds after which all that is unfinished is looked at, and added anew where it is gone. */
  readonly lookEvery: number
  onLine(text: string): void
  onChange(): void
}

interface Open {
  readonly exchange: Exchange
  readonly data: messages.TrialJob
}

/** Milliseconds in which another master would say that it is there. */
const introduction = 500
/** What {@link messages.jobIdOf} makes. */
const jobId = /^(.+)\.(\d+)\.(\d+)$/

export class Dispatcher {
  readonly fleet: Fleet
  readonly #options: DispatcherOptions
  readonly #node = randomUUID().replaceAll('-', '')
  readonly #queue: Queue
  readonly #relay: Relay
  readonly #open = new Map<string, Open>()
  readonly #others = new Map<string, messages.ToAll>()
  #timer: NodeJS.Timeout | undefined

  private constructor(options: DispatcherOptions) {
    const { broker, queue, onLine, onChange } = options
    this.#options = options
    this.#queue = broker.queue(queue)
    this.#relay = broker.relay(queue, `master ${hostname()}`)
    this.fleet = new Fleet({
      ...options.fleet,
      ...{ onLine, onChange, send: (node, message) => this.#tell(node, message) },
    })
  }

  /** @throws `GRADUS_REFUSED` where the queue's name is another study's, whose master is there */
  static async open(options: DispatcherOptions): Promise<Dispatcher> {
    const dispatcher = new Dispatcher(options)
    try {
      await dispatcher.#begin()
      return dispatcher
    } catch (error) {
      await dispatcher.close()
      throw error
    }
  }

  /** What a claim says of the queue that its job is in. */
  get details(): { readonly queue: string } {
    return { queue: this.#options.queue }
  }

  /** Trains by whichever worker takes the job. */
  readonly training: Training = async (search, claimed, control) => {
    const { held } = claimed
    const claim = jobClaimOf(held)
    const id = messages.jobIdOf(this.#options.study, held.number, claim)
    const { initial, ...order } = await orderOf(search, claimed)
    // A claim of this master's own has no job yet.
    const isFresh = claim === held.claim
    const patiently = <Result>(work: () => Promise<Result>) => whenThere(work, control.signal)
    const room = this.#options.artifacts.room(id)
    const there = !isFresh && (await patiently(() => this.#queue.getJob(id))) !== undefined
    const data: messages.TrialJob = {
      ...order,
      ...{ trial: held.number, claim, epoch: control.last.epoch, value: control.last.value, ending: control.ending },
      // A new one has none, and whoever is at it has them.
      files: there || claimed.before === null ? [] : await offerRun(held.run, room),
      initial: initial === null || there ? null : await offer(initial, 'initial.safetensors', room),
    }
    const exchange = new Exchange({
      control,
      attempts: this.#options.retries + 1,
      patience: this.#options.lease,
      placed: isFresh ? null : await readPlaced(room),
      place: async (files, placed) => {
        await notePlaced(room, placed)
        await placeRun(held.run, files, room, data.files)
      },
      answer: (node, epoch, ending) => this.#answer(node, id, epoch, ending),
      // Its worker has heard it, and where the job is gone nobody else has to.
      end: (ending) => this.#markEnding(id, ending).catch(() => false),
    })
    this.#open.set(id, { exchange, data })
    try {
      await patiently(() => (there ? this.#look(id) : this.#add(id, { exchange, data })))
      return await exchange.outcome()
    } finally {
      this.#open.delete(id)
      void this.#remove(id)
    }
  }

  async #begin(): Promise<void> {
    const { queue } = this.#options
    await Promise.all([this.#queue.waitUntilReady(), this.#relay.waitUntilReady()])
    await this.#relay.subscribe(messages.topics.master, ({ data }) => this.#hear(data))
    await this.#relay.subscribe(messages.topics.all, ({ data }) => this.#hearMaster(data))
    await this.#sayToAll('master')
    await setTimeout(introduction)
    const other = [...this.#others.values()].find(({ study }) => study !== this.#options.study)
    if (other) {
      const message = `queue: ${queue} is the name of another study here, whose master runs on ${other.host}; give this one another: --queue-name`
      throw new GradusError('GRADUS_REFUSED', message)
    }
    this.#timer = setInterval(() => void this.#lookAtAll().catch(this.#onError), this.#options.lookEvery)
    await this.#lookAtAll()
    // What masters before have left, whose jobs are gone.
    for (const room of await this.#options.artifacts.rooms()) {
      if (room.startsWith(`${this.#options.study}.`) && jobId.test(room)) await this.#tidy(room)
    }
  }

  #sayToAll(type: messages.ToAll['type']): Promise<unknown> {
    const { study } = this.#options
    return this.#relay.publish(
      messages.topics.all,
      messages.packed({ type, study, node: this.#node, host: hostname() }),
    )
  }

  readonly #onError = (error: Error): void => {
    this.#options.onLine(`queue: ${error.message}`)
  }

  #hear(data: unknown): void {
    try {
      const message = messages.read('a worker', data, messages.toMasterOf)
      if (message.type === 'progress') this.#heardProgress(message.job, message.progress)
      else if (message.type === 'done') void this.#heardEnd(message).catch(this.#onError)
      else this.fleet.hear(message)
    } catch (error) {
      this.#onError(error as Error)
    }
  }

  /** Another one asks who is there. */
  #hearMaster(data: unknown): void {
    try {
      const message = messages.read('a master', data, messages.toAllOf)
      if (message.node === this.#node || message.type !== 'master') return
      const isNew = !this.#others.has(message.node)
      this.#others.set(message.node, message)
      if (isNew) void this.#sayToAll('master').catch(this.#onError)
    } catch (error) {
      this.#onError(error as Error)
    }
  }

  #tell(node: string, message: messages.ToWorker): void {
    void this.#relay.publish(messages.topics.worker(node), messages.packed(message)).catch(this.#onError)
  }

  #answer(node: string, job: string, epoch: number, ending: messages.TrialJob['ending']): void {
    this.#tell(node, { type: 'answer', job, epoch, ending })
  }

  /** For whoever did not hear it, or takes the job up later. True of a job that waited: it is taken away. */
  async #markEnding(id: string, ending: messages.TrialJob['ending']): Promise<boolean> {
    const open = this.#open.get(id)
    const job = open && (await this.#queue.getJob(id))
    if (!job) return false
    // A worker that takes it just now has locked it.
    if ((await job.isWaiting()) && (await this.#queue.remove(id).catch(() => 0)) === 1) return true
    await job.updateData(messages.jobData({ ...open.data, ending }))
    return false
  }

  #heardProgress(id: string, progress: messages.TrialProgress): void {
    const open = this.#open.get(id)
    if (open) open.exchange.progress(progress)
    else this.#answer(progress.node, id, 0, { how: 'lost', reason: 'nobody waits for this trial any more' })
  }

  async #heardEnd({ job: id, returned }: Extract<messages.ToMaster, { type: 'done' }>): Promise<void> {
    const open = this.#open.get(id)
    if (open && returned) open.exchange.done(returned)
    else if (open) await this.#look(id)
    else await this.#tidy(id)
  }

  async #lookAtAll(): Promise<void> {
    this.fleet.look()
    for (const id of [...this.#open.keys()]) await this.#look(id)
    // Of claims that have ended, by whose hand ever.
    for (const job of await this.#queue.getJobs(['completed', 'failed', 'waiting'])) {
      if (job?.id !== undefined && !this.#open.has(job.id)) await this.#tidy(job.id)
    }
  }

  /** Adds a job that is not there, and hears what one says that is. */
  async #look(id: string): Promise<void> {
    const job = await this.#queue.getJob(id)
    const open = this.#open.get(id)
    if (!open) return
    const { exchange } = open
    try {
      if (!job) await this.#add(id, open)
      // Whoever was at it has died of it, again and again.
      else if (job.failedReason && job.finishedOn) exchange.lost(job.failedReason)
      else if (job.finishedOn) exchange.done(messages.read(`result of job ${id}`, job.returnvalue, messages.returnOf))
      else if (typeof job.progress === 'object' && 'execution' in job.progress)
        exchange.progress(messages.read(`progress of job ${id}`, job.progress, messages.progressOf))
    } catch (error) {
      if (!(error instanceof GradusError) || error.code !== 'GRADUS_REFUSED') throw error
      this.#onError(error)
      exchange.fail(error)
    }
  }

  async #add(id: string, { data }: Open): Promise<void> {
    const options = { jobId: id, removeOnComplete: false, removeOnFail: false, attempts: this.#options.retries + 1 }
    await this.#queue.add(`trial ${data.trial}`, messages.jobData(data), options)
  }

  /** Away with a job whose claim is nobody's any more; one that a worker is at goes when that is done. */
  async #tidy(id: string): Promise<void> {
    const [, study, trial, claim] = jobId.exec(id) ?? []
    // What a study has left that had this name before.
    if (study !== this.#options.study) return await this.#remove(id)
    const { claim: newest, state } = this.#options.trialOf(Number(trial)) ?? { claim: null, state: 'lost' as const }
    const isAdoptable =
      newest !== null && state === 'running' && jobClaimOf({ claim: newest.number, ...newest }) === Number(claim)
    if (!isAdoptable && !this.#open.has(id)) await this.#remove(id)
  }

  /** With what its worker has sent for it. */
  async #remove(id: string): Promise<void> {
    // One that is locked stays: its worker hears that it has lost it.
    await this.#queue.remove(id).catch(() => undefined)
    await this.#options.artifacts.room(id).remove().catch(this.#onError)
  }

  /** @param isDone whether nothing is left to do: then workers end */
  async close(isDone = false): Promise<void> {
    clearInterval(this.#timer)
    if (isDone) {
      await this.#sayToAll('done').catch(() => undefined)
      await this.#options.artifacts.room(messages.filesRoom(this.#options.study)).remove()
    }
    await Promise.allSettled([this.#relay.close(), this.#queue.close()])
  }
}

async function offer(file: string, path: string, artifacts: Artifacts): Promise<messages.FileEntry> {
  const { size } = await stat(file)
  const entry = { path, bytes: size, sha256: await sha256Of(file) }
  await artifacts.put(file, entry)
  return entry
}

/** Milliseconds from try to try. */
const retryEvery = 500

/** As long as the queue's server is away, it is waited for; once the trial is to end, it is not. */
async function whenThere<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (error instanceof GradusError || signal.aborted) throw error
      await setTimeout(retryEvery)
    }
  }
}

/** The claim that the job of a trial was made for: another one than the newest where a master has taken over from another. */
export function jobClaimOf({ claim, record }: Pick<HeldTrial, 'claim' | 'record'>): number {
  const job = record.details?.job
  return typeof job === 'number' ? job : claim
}
