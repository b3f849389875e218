/** The workers of a queue, as the master hears of them: taken in or refused by name, and counted as long as they are heard. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ToMaster, ToWorker } from './messages.js'

export interface FleetOptions {
  /** Of Gradus: workers of another version might train differently. */
  readonly version: string
  /** SHA-256 of the study's file; null where it may be any. */
  readonly module: string | null
  /** Null: whoever can use the queue may work. */
  readonly token: string | null
  /** Milliseconds without a word after which a worker is taken to be gone. */
  readonly lease: number
  /** What one that is taken in is told. */
  welcome(): Extract<ToWorker, { type: 'welcome' }>
  send(node: string, message: ToWorker): void
  /** For people. */
  onLine(text: string): void
  /** Others have come or gone. */
  onChange(): void
}

interface Known {
  readonly worker: string
  heard: number
}

export class Fleet {
  readonly #options: FleetOptions
  readonly #known = new Map<string, Known>()
  readonly #refused = new Set<string>()

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** How many there are. */
  get count(): number {
    return this.#known.size
  }

  hear(message: Extract<ToMaster, { type: 'hello' | 'bye' }>): void {
    if (message.type === 'bye') this.#forget(message.node, 'has ended')
    else this.#greet(message)
  }

  /** Forgets those that have not been heard of for a lease. */
  look(): void {
    const { lease } = this.#options
    for (const [node, { heard }] of this.#known) {
      if (performance.now() - heard > lease)
        this.#forget(node, `has not been heard of for ${Math.round(lease / 1000)} s`)
    }
  }

  #greet(hello: Extract<ToMaster, { type: 'hello' }>): void {
    const { node, worker } = hello
    const { send, welcome, onLine } = this.#options
    const problem = this.#problemOf(hello)
    if (problem === null) {
      send(node, welcome())
      this.#add(node, worker)
      return
    }
    if (!this.#refused.has(node)) onLine(`worker ${worker} is refused: ${problem}`)
    this.#refused.add(node)
    send(node, { type: 'refused', reason: problem })
  }

  #problemOf({ version, module, node, proof }: Extract<ToMaster, { type: 'hello' }>): string | null {
    const { version: own, module: wanted, token } = this.#options
    if (token !== null && !isSame(proof, proofOf(token, node)))
      return 'its token is not the one of the master (GRADUS_TOKEN)'
    if (version !== own) return `it is Gradus ${version}, and the master is ${own}`
    if (wanted !== null && module !== wanted)
      return `its study file is another one: SHA-256 ${module.slice(0, 12)}…, and the master's is ${wanted.slice(0, 12)}…`
    return null
  }

  #add(node: string, worker: string): void {
    const known = this.#known.get(node)
    if (known) {
      known.heard = performance.now()
      return
    }
    this.#known.set(node, { worker, heard: performance.now() })
    this.#options.onLine(`worker ${worker} has come`)
    this.#options.onChange()
  }

  #forget(node: string, why: string): void {
    const known = this.#known.get(node)
    if (!known) return
    this.#known.delete(node)
    this.#options.onLine(`worker ${known.worker} ${why}`)
    this.#options.onChange()
  }
}

/** That a worker has the token, without saying it. */
export const proofOf = (token: string, node: string): string => createHmac('sha256', token).update(node).digest('hex')

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}
