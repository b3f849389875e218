/** Trials trained by the workers of a queue: this process claims and records, as many at once as there are workers. */
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileError } from '../../files.js'
import { Beats, LeaseJudge, type StudyModule, type Trial } from '../../study/index.js'
import { studyFiles } from '../../study/layout.js'
import { version } from '../../version.js'
import type { StudyDefinition } from '../definition/define-study.js'
import { asFailure, type Executor, type WorkerOutcome } from '../executors/executor.js'
import { Search } from '../worker/search.js'
import type { Shared, WorkerEnd, WorkerEvent } from '../worker/worker.js'
import type { QueueAddress } from './address.js'
import { ArtifactServer } from './artifact-server.js'
import { ArtifactFolder, type Artifacts, sha256Of } from './artifacts.js'
import { Broker } from './broker.js'
import { Dispatcher, jobClaimOf } from './dispatcher.js'
import { type FileEntry, filesRoom, type ToWorker } from './messages.js'
import { Slots } from './slots.js'

export interface QueueExecutorOptions {
  readonly address: QueueAddress
  /** What workers know the study by. */
  readonly queue: string
  readonly dir: string
  readonly definition: StudyDefinition
  readonly module: StudyModule
  readonly allowChanged: boolean
  /** A folder that all see; null: workers bring their files to this process. */
  readonly artifacts: string | null
  /** Where this process listens for files; null: where it is seen from the queue's server. */
  readonly listen: { readonly host: string; readonly port: number } | null
  /** Bytes of one file at most. */
  readonly limit: number
  /** Workers must have the same; null: whoever can use the queue may work. */
  readonly token: string | null
  /** Milliseconds without a sign of life after which a worker's trial is another's. Default 60,000. */
  readonly lease?: number | undefined
  readonly beatEvery?: number | undefined
  /** Milliseconds after which all that is unfinished is looked at. Default 10,000. */
  readonly lookEvery?: number | undefined
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined
  onLine(text: string): void
}

const [usualLease, usualLook] = [60_000, 10_000]

export interface QueueExecutor extends Executor {
  /** Workers that are connected now. */
  countWorkers(): number
}

/** One of its workers is all that a master needs: it makes room for as many trials as there are workers. */
export function queueExecutor(options: QueueExecutorOptions): QueueExecutor {
  let count = () => 0
  return {
    name: 'queue',
    countWorkers: () => count(),
    start(name) {
      const pause = new AbortController()
      const running = runQueue(options, name, pause.signal, (fleet) => {
        count = fleet
      })
      return {
        name,
        process: null,
        ended: running.catch((error: unknown): WorkerOutcome => ({ failed: asFailure(error) })),
        pause: () => pause.abort(),
        kill: () => pause.abort(),
      }
    },
  }
}

async function runQueue(
  options: QueueExecutorOptions,
  name: string,
  signal: AbortSignal,
  onFleet: (count: () => number) => void,
): Promise<WorkerEnd> {
  const { dir, definition, module, allowChanged, address, onLine } = options
  const lease = options.lease ?? usualLease
  const search = await Search.open(dir, definition, { module, allowChanged })
  const broker = await Broker.open(address, (error) => told(onLine, error))
  const store = await openStore(options, search.path)
  const beats = new Beats({ every: options.beatEvery })
  const slots = new Slots({ name, signal, onEvent: options.onEvent })
  let dispatcher: Dispatcher | null = null
  let end: WorkerEnd | null = null
  try {
    const study = await idOf(search.path)
    const files = await offerFiles(module, definition.files, store.folder.room(filesRoom(study)))
    dispatcher = await Dispatcher.open({
      ...{ broker, lease, queue: options.queue, study, artifacts: store.folder, onLine },
      ...{ retries: definition.retries, lookEvery: options.lookEvery ?? usualLook, onChange: () => slots.look() },
      trialOf: (number) => search.reader.trial(number),
      fleet: {
        ...{ version, token: options.token, lease, module: allowChanged ? null : module.sha256 },
        welcome: () => ({ type: 'welcome', study, lease, artifacts: store.told, files }),
      },
    })
    const { fleet, details, training } = dispatcher
    onFleet(() => fleet.count)
    const shared: Shared = {
      ...{ search, beats, details, inTurn: turns() },
      judge: new LeaseJudge({ lease }),
      adopts: (trial) => adopted(trial, details.queue),
    }
    end = await slots.run(shared, training, () => fleet.count)
    return end
  } finally {
    await dispatcher?.close(end === 'done' || end === 'exhausted')
    await store.close()
    await beats.close()
  }
}

/** Errors of connections come by the dozen while a server is away. */
function told(onLine: (text: string) => void, { message }: Error): void {
  const now = performance.now()
  if (now - lastTold < 10_000) return
  lastTold = now
  onLine(`queue: ${message || 'the server does not answer'}; it is tried again`)
}
let lastTold = Number.NEGATIVE_INFINITY

/** A trial that a master which is gone has put into this queue: its job counts on. */
function adopted(trial: Trial, queue: string): { queue: string; job: number } | null {
  const { claim } = trial
  if (claim?.record.details?.queue !== queue) return null
  return { queue, job: jobClaimOf({ claim: claim.number, record: claim.record }) }
}

/** One after the other. */
function turns(): <Result>(pick: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  return (pick) => {
    const picked = last.then(pick)
    last = picked.catch(() => undefined)
    return picked
  }
}

/** Which study a folder holds. */
async function idOf(path: string): Promise<string> {
  const bytes = await readFile(join(path, studyFiles.study)).catch((error) => {
    throw fileError(path, error)
  })
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

interface Store {
  readonly folder: ArtifactFolder
  /** How workers come to it. */
  readonly told: Extract<ToWorker, { type: 'welcome' }>['artifacts']
  close(): Promise<void>
}

async function openStore(options: QueueExecutorOptions, study: string): Promise<Store> {
  const { artifacts, listen, limit, token, address } = options
  if (artifacts !== null)
    return { folder: new ArtifactFolder(artifacts), told: { folder: artifacts }, close: async () => undefined }
  const folder = new ArtifactFolder(join(study, 'artifacts'))
  const own = token ?? randomBytes(24).toString('base64url')
  const { host, port } = listen ?? { host: await seenFrom(address), port: 0 }
  const server = await ArtifactServer.start(folder, { host, port, token: own, limit })
  // Whoever was given a token has it; else whoever can use the queue may have it.
  return { folder, told: { url: server.url, token: token === null ? own : null }, close: () => server.close() }
}

/** The address of this machine in the network of the queue's server: workers are there too. */
function seenFrom({ host, port }: QueueAddress): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const done = (address: string | undefined) => {
      socket.destroy()
      resolve(address?.replace(/^::ffff:/, '') ?? '127.0.0.1')
    }
    socket.once('connect', () => done(socket.localAddress))
    socket.once('error', () => done(undefined))
  })
}

/** What the study names, by paths from its file on. @throws `GRADUS_BAD_FILE` where one is not there */
async function offerFiles(module: StudyModule, files: readonly string[], room: Artifacts): Promise<FileEntry[]> {
  const entries: FileEntry[] = []
  for (const path of files) {
    const file = join(module.path, '..', path)
    const bytes = await readFile(file).catch((error) => {
      throw fileError(file, error)
    })
    const entry = { path, bytes: bytes.length, sha256: await sha256Of(file) }
    await room.put(file, entry)
    entries.push(entry)
  }
  return entries
}
