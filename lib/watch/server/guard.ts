/** Who may ask: checked for every request before anything is looked up. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import { Refusal } from './query.js'

/** A run can be named with 255 bytes, each of them three characters when escaped. */
const longestAddress = 2048

export interface Guard {
  /** `127.0.0.1:8080`: what a browser may call this server. */
  readonly hosts: ReadonlySet<string>
  readonly token: string
  /** Cookies are shared by all ports of a host, so that each server's has a name of its own. */
  readonly cookie: string
}

const loopbacks = ['127.0.0.1', 'localhost', '::1']
const wildcards = ['0.0.0.0', '::']

export const isLoopback = (host: string): boolean => loopbacks.includes(host)

export function createGuard(host: string, port: number, token: string): Guard {
  const names = wildcards.includes(host)
    ? [...addressesOfMachine(), hostname().toLowerCase(), ...loopbacks]
    : isLoopback(host)
      ? loopbacks
      : [host.toLowerCase()]
  const hosts = names.flatMap((name) => {
    const literal = name.includes(':') ? `[${name}]` : name
    return port === 80 ? [literal, `${literal}:80`] : [`${literal}:${port}`]
  })
  return { hosts: new Set(hosts), token, cookie: `gradus-${port}` }
}

function addressesOfMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((interfaces) => (interfaces ?? []).map(({ address }) => address))
}

/** Throws a {@link Refusal} unless the request may be answered. Returns whether the token came in the address. */
export function admit({ hosts, token, cookie }: Guard, request: IncomingMessage): { byAddress: boolean } {
  const { method = '', url = '', headers } = request
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, 'Only GET and HEAD are answered')
  if (request.httpVersion !== '1.1') throw new Refusal(505, 'Only HTTP/1.1 is spoken')
  if (url.length > longestAddress) throw new Refusal(414, `An address has at most ${longestAddress} characters`)
  // A page that gets its own name resolved to this machine still sends that name ("DNS rebinding").
  const [name = '', ...others] = request.headersDistinct.host ?? []
  if (others.length > 0 || !hosts.has(name.toLowerCase())) throw new Refusal(421, 'This server has another name')
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, hosts)) {
    throw new Refusal(403, 'Other sites may not ask')
  }
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
    throw new Refusal(413, 'No request has a body')
  }
  const byAddress = isToken(new URLSearchParams(url.split('?')[1]).get('token'), token)
  const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]
  if (!byAddress && !isToken(bearer, token) && !isToken(readCookie(headers.cookie, cookie), token)) {
    throw new Refusal(401, 'Open the address that `gradus watch` has printed: it carries the token')
  }
  return { byAddress }
}

function isOwnOrigin(origin: string, hosts: ReadonlySet<string>): boolean {
  const [, host = ''] = /^http:\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? []
  return hosts.has(host)
}

function readCookie(header: string | undefined, name: string): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Takes the same time for each wrong token, of whatever length. */
function isToken(given: string | null | undefined, token: string): boolean {
  if (given === null || given === undefined) return false
  return timingSafeEqual(digest(given), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
