/** What the commands of a search are told of a queue. */
import { basename, extname } from 'node:path'
import { GradusError, invalidArgument } from '../errors.js'
import { type QueueAddress, queueAddress } from '../search/queue/address.js'

export interface QueueOptions {
  /** An address; `true` of a flag without one. */
  readonly queue?: string | true | undefined
  readonly queueName?: string | undefined
  readonly artifacts?: string | undefined
  readonly listen?: string | undefined
  readonly artifactLimit?: string | undefined
}

export interface QueuePlace {
  readonly address: QueueAddress
  /** Of the queue, at its server. */
  readonly queue: string
  readonly token: string | null
}

/** Null where no queue is asked for. @throws `GRADUS_INVALID_ARGUMENT` */
export function queueOf(file: string, options: QueueOptions): QueuePlace | null {
  const { queue: given, queueName } = options
  if (given === undefined) {
    for (const name of ['queueName', 'artifacts', 'listen', 'artifactLimit'] as const) {
      if (options[name] !== undefined) throw invalidArgument(flags[name], '--queue beside it', options[name])
    }
    return null
  }
  const { GRADUS_QUEUE: url, GRADUS_TOKEN: token } = process.env
  const text = given === true ? url : given
  if (text === undefined) {
    const expected = 'an address, or one in GRADUS_QUEUE'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `--queue: expected ${expected}`, { argument: '--queue', expected })
  }
  const address = queueAddress('--queue', text)
  // Other users of this machine see what a command was started with.
  if (given !== true && address.url !== address.shown) process.title = `gradus --queue ${address.shown}`
  const name = queueName ?? basename(file, extname(file)).replaceAll(/[^\w-]/g, '-')
  if (!/^[\w-]{1,50}$/.test(name)) throw invalidArgument('--queue-name', '1 to 50 letters, digits, - and _', name)
  return { address, queue: `gradus-${name}`, token: token || null }
}

const flags = {
  queueName: '--queue-name',
  artifacts: '--artifacts',
  listen: '--listen',
  artifactLimit: '--artifact-limit',
} as const

/** `10.0.0.5:8700`, `[fd00::5]:0`. */
export function listenOf(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host !== undefined && Number(port) < 65_536) return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  throw invalidArgument(
    '--listen',
    'an address of this machine that workers reach and a port, such as 10.0.0.5:8700',
    text,
  )
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** Bytes of `500M`, `2G`. */
export function bytesOf(text: string): number {
  const [, number, unit] = /^(\d+)([KMG]?)$/.exec(text) ?? []
  const bytes = Number(number) * (units[unit ?? ''] ?? Number.NaN)
  if (bytes > 0) return bytes
  throw invalidArgument('--artifact-limit', 'a size such as 500M or 2G', text)
}
