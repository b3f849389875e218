/** Artifacts over HTTP: a worker's side. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { GradusError } from '../../errors.js'
import { makeFolders, withFileErrors } from '../../files.js'
import { newTemporary } from '../../temporary.js'
import { type ArtifactStore, type Artifacts, artifactError, sha256Of } from './artifacts.js'
import type { FileEntry } from './messages.js'

/** Milliseconds: a link that is cut for a moment costs a moment. */
const tryFor = 120_000
const [shortest, longest] = [100, 5000]
/** Milliseconds until a server must have answered, and bytes a millisecond of the slowest link. */
const [silence, slowest] = [30_000, 100]

export class ArtifactClient implements ArtifactStore {
  readonly #url: string
  readonly #token: string
  readonly #signal: AbortSignal

  /** @param signal ends what is under way */
  constructor({ url, token }: { readonly url: string; readonly token: string }, signal: AbortSignal) {
    this.#url = url
    this.#token = token
    this.#signal = signal
  }

  room(name: string): Artifacts {
    return new RemoteRoom(`${this.#url}/artifacts/${name}`, this.#token, this.#signal)
  }
}

class RemoteRoom implements Artifacts {
  readonly #url: string
  readonly #token: string
  readonly #signal: AbortSignal

  constructor(url: string, token: string, signal: AbortSignal) {
    this.#url = url
    this.#token = token
    this.#signal = signal
  }

  async put(file: string, entry: FileEntry): Promise<void> {
    // From here on it does not matter that somebody removes it.
    const handle = await open(file)
    try {
      await this.#patiently(entry, async (signal) => {
        const stream = handle.createReadStream({ start: 0, autoClose: false })
        const body = Readable.toWeb(stream) as unknown as ReadableStream
        const headers = { ...this.#headers, 'content-length': String(entry.bytes) }
        const options = { method: 'PUT', headers, body, signal, duplex: 'half' }
        await check(entry, await fetch(this.#urlOf(entry), options as never))
      })
    } finally {
      await handle.close()
    }
  }

  async get(entry: FileEntry, to: string): Promise<void> {
    await this.#patiently(entry, async (signal) => {
      const response = await fetch(this.#urlOf(entry), { headers: this.#headers, signal })
      await check(entry, response, false)
      await withFileErrors(to, () => receive(response, entry, to), 'written')
    })
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` }
  }

  #urlOf = ({ sha256 }: FileEntry): string => `${this.#url}/${sha256}`

  /** Again and again, but for what will not get better. */
  async #patiently(entry: FileEntry, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const until = performance.now() + tryFor
    const time = Math.ceil(silence + entry.bytes / slowest)
    for (let delay = shortest; ; delay = Math.min(2 * delay, longest)) {
      try {
        return await work(AbortSignal.any([this.#signal, AbortSignal.timeout(time)]))
      } catch (error) {
        if (error instanceof GradusError || error instanceof RangeError) throw error
        const problem = `${new URL(this.#url).origin} does not answer: ${messageOf(error)}`
        if (this.#signal.aborted || performance.now() > until) throw artifactError(entry, problem, error)
        await setTimeout(delay)
      }
    }
  }
}

/** `fetch` says only that it failed, and its cause says why. */
function messageOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message : message
}

async function check(entry: FileEntry, response: Response, isDone = true): Promise<void> {
  if (response.ok) {
    if (isDone) await response.arrayBuffer()
    return
  }
  const text = await response.text()
  // A disk that is full over there, or a server that has failed of something else, may be better at the next try.
  if (response.status >= 500) throw new Error(text)
  throw artifactError(entry, `the master refuses it: ${text}`)
}

async function receive(response: Response, entry: FileEntry, to: string): Promise<void> {
  await makeFolders(dirname(to))
  const { path, file } = await newTemporary(dirname(to))
  try {
    let bytes = 0
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > entry.bytes) throw artifactError(entry, `more came than its ${entry.bytes} bytes`)
      await file.write(chunk)
    }
    if ((await sha256Of(path)) !== entry.sha256) throw artifactError(entry, 'its bytes are not those of its SHA-256')
    await rename(path, to)
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}
