/** Who may ask: checked for every request before anything is looked up. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import { Refusal } from './query.js'

/** A run can be named with 255 bytes, each of them three characters when escaped. */
const longestAddress = 2048

/** What a request that changes something may carry, in bytes. */
export const largestBody = 1 << 16

export interface Guard {
  /** `127.0.0.1:8080`: what a browser may call this server. */
  readonly hosts: ReadonlySet<string>
  readonly token: string
  /** Whether requests may change something. */
  readonly canControl: boolean
}

const loopbacks = ['127.0.0.1', 'localhost', '::1']
const wildcards = ['0.0.0.0', '::']

export const isLoopback = (host: string): boolean => loopbacks.includes(host)

export function createGuard(host: string, port: number, token: string, canControl: boolean): Guard {
  const names = wildcards.includes(host)
    ? [...addressesOfMachine(), hostname().toLowerCase(), ...loopbacks]
    : isLoopback(host)
      ? loopbacks
      : [host.toLowerCase()]
  const hosts = names.flatMap((name) => {
    const literal = name.includes(':') ? `[${name}]` : name
    return port === 80 ? [literal, `${literal}:80`] : [`${literal}:${port}`]
  })
  return { hosts: new Set(hosts), token, canControl }
}

function addressesOfMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((interfaces) => (interfaces ?? []).map(({ address }) => address))
}

export const methodsOf = ({ canControl }: Guard): string => (canControl ? 'GET, HEAD, POST' : 'GET, HEAD')

/** Throws a {@link Refusal} unless it is a request of a browser or a program that means this server. */
export function checkRequest(guard: Guard, request: IncomingMessage): void {
  const { method = '', url = '', headers } = request
  if (!methodsOf(guard).split(', ').includes(method)) throw new Refusal(405, `Only ${methodsOf(guard)} are answered`)
  if (request.httpVersion !== '1.1') throw new Refusal(505, 'Only HTTP/1.1 is spoken')
  if (url.length > longestAddress) throw new Refusal(414, `An address has at most ${longestAddress} characters`)
  // A page that gets its own name resolved to this machine still sends that name ("DNS rebinding").
  const [name = '', ...others] = request.headersDistinct.host ?? []
  if (others.length > 0 || !guard.hosts.has(name.toLowerCase())) throw new Refusal(421, 'This server has another name')
  // Browsers name the origin of whatever changes something; a form of another site cannot send JSON.
  const mustTell = method === 'POST'
  if ((mustTell || headers.origin !== undefined) && !isOwnOrigin(headers.origin ?? '', guard.hosts)) {
    throw new Refusal(403, 'Other sites may not ask')
  }
  const length = Number(headers['content-length'] ?? 0)
  if (mustTell && headers['content-type'] !== 'application/json') throw new Refusal(415, 'Only JSON is taken')
  if (headers['transfer-encoding'] !== undefined || length > (mustTell ? largestBody : 0)) {
    throw new Refusal(413, `A body has at most ${largestBody} bytes, and belongs to POST`)
  }
}

/**
 * Throws a {@link Refusal} unless the request carries the token. It is never a cookie: a browser would send that to
 * every port of this machine, so that any other server here could use it.
 */
export function checkToken({ token }: Guard, { headers }: IncomingMessage): void {
  const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]
  if (!isToken(bearer, token)) {
    throw new Refusal(401, 'Open the address that `gradus watch` has printed: it carries the token')
  }
}

function isOwnOrigin(origin: string, hosts: ReadonlySet<string>): boolean {
  const [, host = ''] = /^http:\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? []
  return hosts.has(host)
}

/** Takes the same time for each wrong token, of whatever length. */
function isToken(given: string | undefined, token: string): boolean {
  if (given === undefined) return false
  return timingSafeEqual(digest(given), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
