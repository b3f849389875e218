/** Where a study's trials go out to workers elsewhere, as commands and programs say it. */
import { basename, extname } from 'node:path'
import { checkPath, checkPositiveInteger, checkText } from '../../checks.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { optionsOf } from '../../options.js'
import { type QueueAddress, queueAddress } from './address.js'

/** A queue that carries a study's trials to workers on other machines: `gradus worker study.js --queue …` on each. */
export interface QueueOptions {
  /** `redis://`, `rediss://` or `postgres://`. Default: the environment's `GRADUS_QUEUE`. */
  url?: string | undefined
  /** What workers know the study by at that server: 1 to 50 letters, digits, - and _. Default: the name of the study's file. */
  name?: string | undefined
  /** Workers must have the same. Default: the environment's `GRADUS_TOKEN`; without, whoever can use the queue may work. */
  token?: string | undefined
  /** A folder that all machines see, for checkpoints. Default: workers bring them to this process. */
  artifacts?: string | undefined
  /** An address of this machine that workers reach, and a port: `10.0.0.7:8700`. Default: that by which it reaches the server, any port. */
  listen?: string | undefined
  /** Bytes of one file at most. Default 2 ** 30. */
  artifactLimit?: number | undefined
}

/** What is at which server. */
export interface QueuePlace {
  readonly address: QueueAddress
  /** Of the queue, at its server. */
  readonly queue: string
  readonly token: string | null
}

/** What arguments are called where they are given. */
interface Labels {
  readonly url: string
  readonly name: string
}

const usualLimit = 2 ** 30

const readQueue = optionsOf<QueueOptions>()('queue', {
  url: checkText,
  name: checkText,
  token: checkText,
  artifacts: checkPath,
  listen: checkText,
  artifactLimit: [checkPositiveInteger, usualLimit],
})

/** An address alone, or options. */
export const checkQueue = (argument: string, value: unknown): ReturnType<typeof readQueue> =>
  readQueue(typeof value === 'string' ? { url: value } : (value as QueueOptions), argument)

/**
 * The place of the study in `file`.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` that does not repeat an address, which may hold a password
 */
export function queuePlace(
  file: string,
  { url, name, token }: Pick<QueueOptions, 'url' | 'name' | 'token'>,
  labels: Labels = { url: 'queue.url', name: 'queue.name' },
): QueuePlace {
  const text = url ?? process.env.GRADUS_QUEUE
  if (text === undefined) {
    const expected = 'an address, or one in GRADUS_QUEUE'
    const message = `${labels.url}: expected ${expected}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: labels.url, expected })
  }
  const address = queueAddress(labels.url, text)
  const queue = name ?? basename(file, extname(file)).replaceAll(/[^\w-]/g, '-')
  if (!/^[\w-]{1,50}$/.test(queue)) throw invalidArgument(labels.name, '1 to 50 letters, digits, - and _', queue)
  return { address, queue: `gradus-${queue}`, token: (token ?? process.env.GRADUS_TOKEN) || null }
}

/** `10.0.0.5:8700`, `[fd00::5]:0`. @throws `GRADUS_INVALID_ARGUMENT` */
export function listenOf(argument: string, text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host !== undefined && Number(port) < 65_536) return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  const expected = 'an address of this machine that workers reach and a port, such as 10.0.0.5:8700'
  throw invalidArgument(argument, expected, text)
}
