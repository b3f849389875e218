/** A server that carries the jobs of a queue, by BullMQ: Redis or PostgreSQL. The packages are loaded when one is opened. */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions, Job, Queue, Relay, Worker } from 'bullmq'
import { optionalPackage } from '../../data/file.js'
import { GradusError } from '../../errors.js'
import { fileError } from '../../files.js'
import { type QueueAddress, withoutSecrets } from './address.js'

export type { Job, Queue, Relay, Worker }

type BullMq = typeof import('bullmq')

export interface BrokerWorkerOptions {
  readonly name: string
  /** Milliseconds without a sign of life after which its job is another's. */
  readonly lease: number
  process(job: Job): Promise<unknown>
  /** Told of a job whose end the queue has taken, with what `process` gave; undefined of one that has failed. */
  onDone(job: Job, returned?: unknown): void
  /** Told of a job that was another's by then: what came of it is dropped. */
  onRefused(id: string): void
}

/** Bytes. */
const longestMessage = 1 << 24
/** Milliseconds until a server must have answered. */
const answerWithin = 10_000
/** What BullMQ's Lua scripts and streams need. */
const leastRedis = [6, 2] as const
const leastPostgres = 13

export class Broker {
  readonly address: QueueAddress
  readonly #bull: BullMq
  readonly #onError: (error: Error) => void

  private constructor(address: QueueAddress, bull: BullMq, onError: (error: Error) => void) {
    this.address = address
    this.#bull = bull
    this.#onError = onError
  }

  /**
   * Opens one that answers and is fit for a queue.
   *
   * @param onError told of errors of connections that are made again
   * @throws `GRADUS_MISSING_PACKAGE`; `GRADUS_NO_QUEUE` where no server answers, it is too old, or may throw jobs away
   */
  static async open(address: QueueAddress, onError: (error: Error) => void): Promise<Broker> {
    const driver = address.kind === 'redis' ? 'ioredis' : 'pg'
    const bull = await optionalPackage(`bullmq ${driver}`, '--queue', async () => {
      await import(driver)
      return await import('bullmq')
    })
    await (address.kind === 'redis' ? checkRedis(address) : checkPostgres(address, bull))
    return new Broker(address, bull, onError)
  }

  queue(name: string): Queue {
    const { Queue: Made } = this.#bull
    return this.#heard(new Made(name, { connection: this.#connection() } as never, this.#backend() as never))
  }

  /** Takes one job after the other. */
  worker(queue: string, { name, lease, process, onDone, onRefused }: BrokerWorkerOptions): Worker {
    const { Worker: Made } = this.#bull
    const options = {
      ...{ connection: this.#connection(), name, concurrency: 1, lockDuration: lease },
      // How often a trial may be lost is the study's to say, and the master's to count.
      ...{ stalledInterval: Math.max(100, Math.floor(lease / 2)), maxStalledCount: 100, runRetryDelay: 1000 },
    }
    const worker = this.#heard(new Made(queue, (job) => process(job), options as never, this.#backend() as never))
    worker.on('error', ({ message }) => {
      const [, id] = /(?:lock|key|state).* for job (\S+?)\.? /i.exec(`${message} `) ?? []
      if (id !== undefined) onRefused(id)
    })
    worker.on('completed', (job, returned: unknown) => onDone(job, returned))
    worker.on('failed', (job) => job && onDone(job))
    return worker
  }

  /** What a job says now; undefined of one that is gone. */
  async dataOf(worker: Worker, id: string): Promise<unknown> {
    return (await this.#bull.Job.fromId(worker as never, id))?.data
  }

  /** Messages between all that have the same namespace. */
  relay(namespace: string, name: string): Relay {
    const { Relay: Made, createPostgresRelayBackend } = this.#bull
    const backend = this.address.kind === 'postgres' ? { backend: createPostgresRelayBackend } : {}
    const connection = this.#connection()
    return this.#heard(
      new Made({
        connection,
        namespace,
        name,
        blockTimeout: 2000,
        maxMessageSize: longestMessage,
        ...backend,
      } as never),
    ) as never
  }

  #connection(): ConnectionOptions {
    return (this.address.kind === 'redis' ? redisOptions(this.address) : postgresOptions(this.address)) as never
  }

  #backend(): BullMq['createPostgresBackend'] | undefined {
    return this.address.kind === 'postgres' ? this.#bull.createPostgresBackend : undefined
  }

  #heard<Made extends { on(event: 'error', listener: (error: Error) => void): unknown }>(made: Made): Made {
    made.on('error', (error) => this.#onError(new Error(withoutSecrets(this.address, error.message))))
    return made
  }
}

/** Certificates by files, as an address has no place for them. */
function tlsOf(address: QueueAddress): { tls?: object | undefined } {
  if (!address.url.startsWith('rediss:')) return {}
  const files = { ca: 'GRADUS_QUEUE_CA', cert: 'GRADUS_QUEUE_CERT', key: 'GRADUS_QUEUE_KEY' } as const
  const read = Object.entries(files).flatMap(([option, name]) => {
    const path = process.env[name]
    return path ? [[option, readCertificate(path)]] : []
  })
  return { tls: Object.fromEntries(read) }
}

function readCertificate(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw fileError(path, error)
  }
}

function redisOptions(address: QueueAddress): object {
  return {
    url: address.url,
    ...tlsOf(address),
    // However long the server is away: jobs wait, and nothing is given up.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(100 * times, 2000),
    connectTimeout: answerWithin,
    keepAlive: 10_000,
  }
}

function postgresOptions(address: QueueAddress): object {
  return {
    connectionString: address.url,
    migrate: true,
    connectionTimeoutMillis: answerWithin,
    keepAlive: true,
    max: 4,
  }
}

const unfit = (address: QueueAddress, problem: string, cause?: unknown): GradusError =>
  new GradusError('GRADUS_NO_QUEUE', `queue: ${address.shown}: ${withoutSecrets(address, problem)}`, { cause })

async function checkRedis(address: QueueAddress): Promise<void> {
  const { Redis } = await import('ioredis')
  const { url, ...options } = { ...redisOptions(address), url: address.url }
  const client = new Redis(url, { ...options, retryStrategy: () => null, lazyConnect: true } as never)
  let last: Error | null = null
  client.on('error', (error) => {
    last = error
  })
  try {
    await client.connect()
    const info = await client.info()
    const version = /redis_version:(\d+)\.(\d+)/.exec(info)
    const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)]
    if (major < leastRedis[0] || (major === leastRedis[0] && minor < leastRedis[1]))
      throw unfit(address, `it is Redis ${major}.${minor}; ${leastRedis.join('.')} or newer is needed`)
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? 'noeviction'
    if (policy !== 'noeviction')
      throw unfit(address, `its maxmemory-policy is ${policy}, by which jobs may vanish; set it to noeviction`)
  } catch (error) {
    if (error instanceof GradusError) throw error
    throw unfit(address, `it does not answer: ${((last ?? error) as Error).message}`, error)
  } finally {
    client.disconnect()
  }
}

async function checkPostgres(address: QueueAddress, bull: BullMq): Promise<void> {
  const { default: pg } = await import('pg')
  const { connectionString, connectionTimeoutMillis } = postgresOptions(address) as Record<string, never>
  const client = new pg.Client({ connectionString, connectionTimeoutMillis })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query('show server_version_num')
    const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000)
    if (major < leastPostgres) throw unfit(address, `it is PostgreSQL ${major}; ${leastPostgres} or newer is needed`)
  } catch (error) {
    if (error instanceof GradusError) throw error
    throw unfit(address, `it does not answer: ${(error as Error).message}`, error)
  } finally {
    await client.end().catch(() => undefined)
  }
  // Tables are made once, by whoever is first.
  const connection = new bull.PostgresConnection(postgresOptions(address) as never)
  try {
    await connection.waitUntilReady()
  } catch (error) {
    throw unfit(address, `its tables cannot be made: ${(error as Error).message}`, error)
  } finally {
    await connection.close().catch(() => undefined)
  }
}
