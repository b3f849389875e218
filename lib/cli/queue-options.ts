/** What the commands of a search are told of a queue. */
import { invalidArgument } from '../errors.js'
import { type QueuePlace, queuePlace } from '../search/queue/place.js'

export interface QueueFlags {
  /** An address; `true` of a flag without one. */
  readonly queue?: string | true | undefined
  readonly queueName?: string | undefined
  readonly artifacts?: string | undefined
  readonly listen?: string | undefined
  readonly artifactLimit?: string | undefined
}

const flags = {
  queueName: '--queue-name',
  artifacts: '--artifacts',
  listen: '--listen',
  artifactLimit: '--artifact-limit',
} as const

/** Null where no queue is asked for. @throws `GRADUS_INVALID_ARGUMENT` */
export function queueOf(file: string, options: QueueFlags): QueuePlace | null {
  const { queue: given, queueName: name } = options
  if (given === undefined) {
    for (const [option, flag] of Object.entries(flags)) {
      const value = options[option as keyof typeof flags]
      if (value !== undefined) throw invalidArgument(flag, '--queue beside it', value)
    }
    return null
  }
  const url = given === true ? undefined : given
  const place = queuePlace(file, { url, name }, { url: '--queue', name: flags.queueName })
  const { address } = place
  // Other users of this machine see what a command was started with.
  if (url !== undefined && address.url !== address.shown) process.title = `gradus --queue ${address.shown}`
  return place
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** Bytes of `500M`, `2G`. */
export function bytesOf(text: string): number {
  const [, number, unit] = /^(\d+)([KMG]?)$/.exec(text) ?? []
  const bytes = Number(number) * (units[unit ?? ''] ?? Number.NaN)
  if (bytes > 0) return bytes
  throw invalidArgument(flags.artifactLimit, 'a size such as 500M or 2G', text)
}
