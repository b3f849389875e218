/** The server of the live page. It trusts no request, and only reads unless it was told that it may do more. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { GradusError, invalidArgument } from '../../errors.js'
import { answer } from './api.js'
import { control } from './control.js'
import { Events } from './events.js'
import { type PageFile, readPage } from './files.js'
import { RunFolder } from './folder.js'
import { checkRequest, checkToken, createGuard, type Guard, isLoopback, methodsOf } from './guard.js'
import { Query, Refusal } from './query.js'
import { answerOfStudy, mostTrials } from './study/study-api.js'
import { OpenedTrials } from './study/trial-runs.js'
import { type RunList, toJson } from './wire.js'

export interface WatchOptions {
  /** Default 0: any that is free. */
  port?: number | undefined
  /** Default 127.0.0.1. Another one needs a `token`. */
  host?: string | undefined
  /** What a request must carry; default 128 random bits. */
  token?: string | undefined
  /** Whether a study that the folder is is read before anybody asks for its page; default false. */
  ahead?: boolean | undefined
  /** Whether the page may keep notes on runs and delete them, and stop and retry trials of a study; default false. */
  control?: boolean | undefined
}

export interface WatchServer {
  /** With the token in its fragment, which browsers send to nobody. */
  readonly url: string
  close(): Promise<void>
}

const shortestToken = 16
const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  // Each look wakes the process, which may share its cores with a training.
  connectionsCheckingInterval: 5000,
}
const mostConnections = 128

/** A page of this server can load nothing from elsewhere and runs no script but its own file. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Cache-Control': 'no-store',
}

/** Serves the runs and studies of a folder, or one run, or one study. */
export async function startServer(path: string, options: WatchOptions = {}): Promise<WatchServer> {
  const { port = 0, host = '127.0.0.1', token = randomBytes(16).toString('base64url'), control = false } = options
  checkOptions(port, host, token, options.token !== undefined)
  const folder = await RunFolder.open(path)
  const site = new Site(folder, await readPage())
  const server = createServer(limits, (request, response) => site.serve(request, response))
  server.maxConnections = mostConnections
  server.on('clientError', refuseSocket)
  server.on('connect', (_request, socket) => endSocket(socket, 405))
  server.on('upgrade', (_request, socket) => endSocket(socket, 405))
  await listen(server, port, host)
  const bound = (server.address() as AddressInfo).port
  site.guard = createGuard(host, bound, token, control)
  // Long runs take a moment to read: it begins before anybody asks.
  void folder.poll()
  if (options.ahead) folder.studies.begin()
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/#token=${token}`,
    close: () => site.close(server),
  }
}

function checkOptions(port: number, host: string, token: string, isGiven: boolean): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw invalidArgument('port', 'a port from 0 to 65535', port)
  if (!/^[\w-]+$/.test(token) || token.length < shortestToken) {
    throw invalidArgument('token', `at least ${shortestToken} letters, digits, - and _`, token)
  }
  if (!isLoopback(host) && !isGiven) {
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      `host: ${JSON.stringify(host)} can be reached by others, so give a token as well, which they will need`,
    )
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new GradusError('GRADUS_INVALID_ARGUMENT', `Cannot listen on ${host}:${port}: ${cause.message}`, { cause }),
      )
    })
    server.listen(port, host, resolve)
  })
}

class Site {
  guard: Guard | null = null
  readonly #folder: RunFolder
  readonly #files: ReadonlyMap<string, PageFile>
  readonly #events: Events
  readonly #trials = new OpenedTrials()

  constructor(folder: RunFolder, files: ReadonlyMap<string, PageFile>) {
    this.#folder = folder
    this.#files = files
    this.#events = new Events(folder)
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    try {
      await this.#serve(request, response)
    } catch (error) {
      const methods = this.guard ? methodsOf(this.guard) : 'GET, HEAD'
      sendError(request, response, error, methods)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { guard } = this
    if (guard === null) throw new Refusal(503, 'Not ready yet')
    checkRequest(guard, request)
    const { path, query } = splitAddress(request.url ?? '')
    // The page itself is the same for everybody and holds no secret.
    const file = this.#files.get(path)
    if (file !== undefined && request.method !== 'POST') {
      if (path === '/') this.#folder.studies.begin()
      return send(request, response, 200, file.type, file.text)
    }
    checkToken(guard, request)
    if (request.method === 'POST')
      return answerWith(request, response, await control(this.#folder, path, query, request))
    const ofStudy = await answerOfStudy(this.#folder.studies, path, query, guard.canControl)
    if (ofStudy !== undefined) return answerWith(request, response, ofStudy)
    const { folder, events, rest, canControl } = await this.#placeOf(query, guard)
    if (path === '/events' && request.method === 'GET') return events.add(request, response)
    const value = await answer(folder, path, rest)
    answerWith(request, response, path === '/api/runs' ? { ...(value as RunList), canControl } : value)
  }

  /** Runs are those of the folder, or with `study` and `trial` in the address those of a trial, which are only looked at. */
  async #placeOf(query: string, { canControl }: Guard) {
    const [, ofTrial, rest = ''] = /^(study=[^&]*&trial=[^&]*)(?:&(.*))?$/.exec(query) ?? []
    if (ofTrial === undefined) return { folder: this.#folder, events: this.#events, rest: query, canControl }
    const place = new Query(ofTrial, ['study', 'trial'])
    const number = place.whole('trial', 0, mostTrials)!
    const runs = await this.#trials.open(this.#folder.studies, place.text('study'), number)
    return { ...runs, rest, canControl: false }
  }

  async close(server: Server): Promise<void> {
    this.#events.close()
    this.#trials.close()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
}

/** Nothing is decoded or normalized: an address is one of the known ones, or none. */
function splitAddress(url: string): { path: string; query: string } {
  const [path = '', query = '', ...more] = url.split('?')
  if (!path.startsWith('/') || more.length > 0) throw new Refusal(400, 'Not an address of this server')
  return { path, query }
}

function answerWith(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  if (value === undefined) throw new Refusal(404, 'There is nothing at this address')
  if (value instanceof Uint8Array) sendBytes(request, response, 200, 'application/octet-stream', value)
  else send(request, response, 200, 'application/json', toJson(value))
}

function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, text: string): void {
  sendBytes(request, response, status, `${type}; charset=utf-8`, Buffer.from(text))
}

function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: Uint8Array,
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown, methods: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const [status, code, message] = explain(error)
  // Whatever follows a refused request on the same connection is not looked at.
  response.setHeader('Connection', 'close')
  if (status === 405) response.setHeader('Allow', methods)
  send(request, response, status, 'application/json', toJson({ code, message }))
}

function explain(error: unknown): [status: number, code: string, message: string] {
  if (error instanceof Refusal) return [error.status, 'GRADUS_REFUSED', error.message]
  if (error instanceof GradusError) return [422, error.code, error.message]
  return [500, 'GRADUS_INTERNAL', 'The run could not be read']
}

/** What the parser refuses never becomes a request. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Duplex): void {
  endSocket(socket, error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code?.includes('TIMEOUT') ? 408 : 400)
}

function endSocket(socket: Duplex, status: number): void {
  if (!socket.writable) socket.destroy()
  else socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
