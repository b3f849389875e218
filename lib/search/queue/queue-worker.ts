/** A worker of a queue: takes one job after the other, trains it in a process beside, and tells the master. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { GradusError } from '../../errors.js'
import { fileError, isMissing } from '../../files.js'
import { version } from '../../version.js'
import type { WorkerEnd, WorkerEvent } from '../worker/worker.js'
import type { QueueAddress } from './address.js'
import { ArtifactClient } from './artifact-client.js'
import { ArtifactFolder, type ArtifactStore, sha256Of } from './artifacts.js'
import { Broker, type Job, type Relay, type Worker } from './broker.js'
import { proofOf } from './fleet.js'
import { JobRun } from './job-run.js'
import * as messages from './messages.js'
import { Trainer } from './trainer.js'

export interface QueueWorkerOptions {
  readonly address: QueueAddress
  readonly queue: string
  /** The study's file. */
  readonly file: string
  readonly name: string
  readonly threads: number
  /** Fires when it is to end: its trial writes its checkpoint and waits. */
  readonly signal: AbortSignal
  /** Trials at most. Default: no limit. */
  readonly trials?: number | undefined
  readonly token: string | null
  /** Milliseconds from word to word. Default 5,000. */
  readonly helloEvery?: number | undefined
  /** Milliseconds without a word of the master after which connections are made anew. Default 60,000. */
  readonly silence?: number | undefined
  /** Milliseconds between two times that a trial's checkpoints are sent. Default 10,000. */
  readonly sendEvery?: number | undefined
  onEvent?(event: WorkerEvent): void
  onLine(text: string): void
}

/** @throws `GRADUS_REFUSED` with the master's reason; `GRADUS_NO_QUEUE`; `GRADUS_BAD_FILE` of the study's file */
export async function runQueueWorker(options: QueueWorkerOptions): Promise<WorkerEnd> {
  const worker = new QueueWorker(options)
  try {
    return await worker.run()
  } finally {
    await worker.close()
  }
}

type Welcome = Extract<messages.ToWorker, { type: 'welcome' }>

class QueueWorker {
  readonly #options: QueueWorkerOptions
  readonly #node = randomUUID().replaceAll('-', '')
  readonly #closed = new AbortController()
  #folder = ''
  #module = ''
  #broker!: Broker
  #relay: Relay | null = null
  #worker: Worker | null = null
  #trainer: Trainer
  #isLoaded = false
  #artifacts: ArtifactStore | null = null
  #welcome: Welcome | null = null
  #heard = performance.now()
  #done = 0
  #run: JobRun | null = null
  #settle!: (end: WorkerEnd) => void
  #fail!: (error: unknown) => void
  readonly #end: Promise<WorkerEnd>

  constructor(options: QueueWorkerOptions) {
    this.#options = options
    // It starts while this one connects.
    this.#trainer = new Trainer(options.onLine)
    this.#end = new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#fail = reject
    })
    this.#end.catch(() => undefined)
  }

  async run(): Promise<WorkerEnd> {
    const { address, file, signal, onLine, helloEvery = 5000, silence = 60_000 } = this.#options
    this.#module = await hashOf(file)
    this.#folder = await mkdtemp(join(tmpdir(), 'gradus-worker-'))
    this.#broker = await Broker.open(address, () => undefined)
    signal.addEventListener('abort', this.#pause)
    if (signal.aborted) this.#pause()
    await this.#connect()
    this.#heard = performance.now()
    onLine(`waits for the master of ${this.#options.queue} at ${address.shown}`)
    const timer = setInterval(() => {
      void this.#hello().catch(() => undefined)
      if (performance.now() - this.#heard > silence) void this.#reconnect().catch(() => undefined)
    }, helloEvery)
    try {
      return await this.#end
    } finally {
      clearInterval(timer)
      signal.removeEventListener('abort', this.#pause)
    }
  }

  async #connect(): Promise<void> {
    const { queue, name } = this.#options
    const relay = this.#broker.relay(queue, name)
    this.#relay = relay
    await relay.subscribe(messages.topics.worker(this.#node), ({ data }) => this.#hear(data))
    await relay.subscribe(messages.topics.all, ({ data }) => this.#hearAll(data))
    await this.#hello()
    if (this.#welcome !== null) this.#work(this.#welcome)
  }

  /** Connections that have heard nothing for long may be dead without knowing it. */
  async #reconnect(): Promise<void> {
    this.#heard = performance.now()
    const { onLine, silence = 60_000 } = this.#options
    onLine(`nothing has been heard of the master for ${Math.round(silence / 1000)} s: it is connected anew`)
    // A job that is under way goes on; its end is told by the connection that took it.
    if (this.#run === null) await this.#stopTaking()
    const before = this.#relay
    this.#relay = null
    void before?.close().catch(() => undefined)
    await this.#connect()
  }

  async #hello(): Promise<void> {
    const { name: worker, token } = this.#options
    const proof = token === null ? '' : proofOf(token, this.#node)
    await this.#say({ type: 'hello', worker, node: this.#node, version, module: this.#module, proof })
  }

  async #say(message: messages.ToMaster): Promise<void> {
    await this.#relay?.publish(messages.topics.master, messages.toMasterData(message))
  }

  #hear(data: unknown): void {
    this.#heard = performance.now()
    let message: messages.ToWorker
    try {
      message = messages.read('the master', data, messages.toWorkerOf)
    } catch (error) {
      this.#options.onLine((error as Error).message)
      return
    }
    if (message.type === 'welcome') void this.#welcomed(message).catch(this.#fail)
    else if (message.type === 'refused')
      this.#fail(new GradusError('GRADUS_REFUSED', `the master refuses this worker: ${message.reason}`))
    else this.#run?.answered(message)
  }

  #hearAll(data: unknown): void {
    try {
      const { type } = messages.read('a master', data, messages.toAllOf)
      this.#heard = performance.now()
      if (type === 'master') void this.#hello().catch(() => undefined)
      else void this.#stopTaking().then(() => this.#settle('done'))
    } catch (error) {
      this.#options.onLine((error as Error).message)
    }
  }

  async #welcomed(welcome: Welcome): Promise<void> {
    const before = this.#welcome
    this.#welcome = welcome
    const isSame = before !== null && JSON.stringify(before.artifacts) === JSON.stringify(welcome.artifacts)
    if (!isSame) this.#artifacts = this.#open(welcome.artifacts)
    if (before !== null) return
    const { file } = this.#options
    for (const entry of welcome.files) await this.#fetchFile(dirname(await realpath(file)), entry)
    await this.#trainer.load(file)
    this.#isLoaded = true
    this.#work(welcome)
  }

  #open(place: Welcome['artifacts']): ArtifactStore {
    if ('folder' in place) return new ArtifactFolder(place.folder)
    const token = place.token ?? this.#options.token ?? ''
    return new ArtifactClient({ url: place.url, token }, this.#closed.signal)
  }

  /** One that is there is left alone. */
  async #fetchFile(folder: string, entry: messages.FileEntry): Promise<void> {
    const path = join(folder, entry.path)
    const there = await sha256Of(path).catch((error) => {
      if (isMissing(error)) return null
      throw fileError(path, error)
    })
    if (there === entry.sha256) return
    if (there !== null) {
      const message = `${path}: it is another file than the master's; remove it, and this worker gets that one`
      throw new GradusError('GRADUS_REFUSED', message)
    }
    await this.#artifacts!.room(messages.filesRoom(this.#welcome!.study)).get(entry, path)
  }

  #work({ lease }: Welcome): void {
    if (this.#worker !== null || !this.#isLoaded || this.#closed.signal.aborted) return
    const { queue, name } = this.#options
    this.#worker = this.#broker.worker(queue, {
      ...{ name, lease, process: async (job) => messages.returnData(await this.#take(job)) },
      onRefused: (id) => this.#refused(id),
      onDone: (job, data) => {
        const returned = data === undefined ? null : messages.read('what came of a job', data, messages.returnOf)
        void this.#say({ type: 'done', job: job.id!, returned }).catch(() => undefined)
      },
    })
  }

  async #take(job: Job): Promise<messages.TrialReturn> {
    const { onEvent, trials = Number.POSITIVE_INFINITY, sendEvery = 10_000, threads, file, onLine } = this.#options
    // Left by another study of this name.
    if (!job.id?.startsWith(`${this.#welcome!.study}.`))
      throw new GradusError('GRADUS_REFUSED', `job ${job.id} is no job of this study`)
    const execution = randomUUID()
    const run = new JobRun(job, {
      ...{
        execution,
        node: this.#node,
        folder: this.#folder,
        threads,
        sendEvery,
        artifacts: () => this.#artifacts!.room(job.id!),
      },
      tell: (progress) => this.#say({ type: 'progress', job: job.id!, progress }),
      dataNow: async () => this.#worker && (await this.#broker.dataOf(this.#worker, job.id!)),
    })
    this.#run = run
    if (this.#options.signal.aborted) run.end({ how: 'pause', reason: 'interrupted' })
    try {
      return await run.train(this.#trainer, onEvent)
    } catch (error) {
      // The job is offered again, as if this worker had died with what trained it.
      onLine(`trial ${job.name}: ${(error as Error).message}`)
      this.#trainer.kill()
      this.#trainer = new Trainer(onLine)
      await this.#trainer.load(file)
      throw error
    } finally {
      this.#run = null
      this.#done++
      if (this.#done >= trials) this.#endSoon('limit')
      else if (this.#options.signal.aborted) this.#endSoon('paused')
    }
  }

  #refused(job: string): void {
    const trial = Number(job.split('.')[1])
    this.#options.onEvent?.({ type: 'refused', trial })
  }

  readonly #pause = (): void => {
    if (this.#run) this.#run.end({ how: 'pause', reason: 'interrupted' })
    else this.#endSoon('paused')
  }

  /** When the queue has been told of the job that is done now. */
  #endSoon(end: WorkerEnd): void {
    void this.#stopTaking().then(() => this.#settle(end), this.#fail)
  }

  async #stopTaking(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await worker?.close()
  }

  async close(): Promise<void> {
    await Promise.race([
      this.#say({ type: 'bye', worker: this.#options.name, node: this.#node }),
      setTimeout(1000),
    ]).catch(() => undefined)
    this.#closed.abort()
    this.#trainer.kill()
    const closing = Promise.allSettled([this.#stopTaking(), this.#relay?.close()])
    await Promise.race([closing, setTimeout(2000, undefined, { ref: false })])
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true })
  }
}

async function hashOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error) => {
    throw fileError(file, error)
  })
  return createHash('sha256').update(bytes).digest('hex')
}
