/** Artifacts over HTTP: the master's side. Whoever has the token may bring and fetch bytes by their SHA-256, and nothing else. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { GradusError } from '../../errors.js'
import { isFull, makeFolders } from '../../files.js'
import { newTemporary } from '../../temporary.js'
import { type ArtifactFolder, type ArtifactRoom, roomName } from './artifacts.js'

export interface ArtifactServerOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly token: string
  /** Bytes of one file at most. */
  readonly limit: number
}

export class ArtifactServer {
  readonly #folder: ArtifactFolder
  readonly #options: ArtifactServerOptions
  readonly #server: Server

  private constructor(folder: ArtifactFolder, options: ArtifactServerOptions) {
    this.#folder = folder
    this.#options = options
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** @throws `GRADUS_NO_QUEUE` when it cannot listen there */
  static async start(folder: ArtifactFolder, options: ArtifactServerOptions): Promise<ArtifactServer> {
    await makeFolders(folder.path)
    const server = new ArtifactServer(folder, options)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', ({ message }) =>
        reject(new GradusError('GRADUS_NO_QUEUE', `artifacts: ${options.host}:${options.port}: ${message}`)),
      )
      server.#server.listen(options.port, options.host, resolve)
    })
    // It keeps no program alive that has nothing else to do.
    server.#server.unref()
    return server
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    const { host } = this.#options
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [status, text] = await this.#act(request, response)
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
    } catch (error) {
      if (!response.headersSent) response.writeHead(isFull(error) ? 507 : 500).end(isFull(error) ? 'no room' : 'failed')
      else response.destroy()
    }
  }

  /** The status and a text; the answer itself has begun where bytes are fetched. */
  async #act(request: IncomingMessage, response: ServerResponse): Promise<[status: number, text: string]> {
    if (!this.#isAllowed(request.headers.authorization ?? '')) return refuse(request, 401, 'wrong token')
    const [, name = '', sha256 = ''] = /^\/artifacts\/([^/]+)\/([0-9a-f]{64})$/.exec(request.url ?? '') ?? []
    if (!roomName.test(name)) return refuse(request, 404, 'there is nothing')
    const room = this.#folder.room(name)
    if (request.method === 'PUT') return await this.#take(request, room, sha256)
    if (request.method !== 'GET') return refuse(request, 405, 'GET and PUT only')
    const path = room.pathOf({ sha256 })
    const status = await stat(path).catch(() => null)
    if (status === null) return [404, 'it is not there any more']
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': status.size })
    await pipeline(createReadStream(path), response)
    return [200, '']
  }

  #isAllowed(authorization: string): boolean {
    const [given, wanted] = [authorization, `Bearer ${this.#options.token}`].map((text) =>
      createHash('sha256').update(text).digest(),
    )
    return timingSafeEqual(given!, wanted!)
  }

  async #take(request: IncomingMessage, room: ArtifactRoom, sha256: string): Promise<[status: number, text: string]> {
    const { limit } = this.#options
    const tooLarge = `larger than the limit of ${limit} bytes`
    if (Number(request.headers['content-length'] ?? 0) > limit) return refuse(request, 413, tooLarge)
    await makeFolders(room.path)
    const { path, file } = await newTemporary(room.path)
    try {
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > limit) return refuse(request, 413, tooLarge)
        hash.update(chunk)
        await file.write(chunk)
      }
      if (hash.digest('hex') !== sha256) return [422, 'its bytes are not those of its SHA-256']
      await file.sync()
      await rename(path, room.pathOf({ sha256 }))
      return [201, '']
    } finally {
      await file.close()
      await rm(path, { force: true })
    }
  }
}

/** Without reading what else comes. */
function refuse(request: IncomingMessage, status: number, text: string): [number, string] {
  request.resume()
  return [status, text]
}
