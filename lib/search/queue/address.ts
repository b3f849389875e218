/** The address of a queue: `redis://`, `rediss://` or `postgres://`. What is shown of it never has its password. */
import { GradusError } from '../../errors.js'

export interface QueueAddress {
  readonly kind: 'redis' | 'postgres'
  /** As it was given. Never printed, never written. */
  readonly url: string
  /** For people: without password. */
  readonly shown: string
  readonly host: string
  readonly port: number
}

const kinds: Readonly<Record<string, { readonly kind: QueueAddress['kind']; readonly port: number }>> = {
  'redis:': { kind: 'redis', port: 6379 },
  'rediss:': { kind: 'redis', port: 6379 },
  'postgres:': { kind: 'postgres', port: 5432 },
  'postgresql:': { kind: 'postgres', port: 5432 },
}

/** @throws `GRADUS_INVALID_ARGUMENT` that does not repeat what was given, which may hold a password */
export function queueAddress(argument: string, text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : null
  const known = url && kinds[url.protocol]
  if (!url || !known) {
    const received = url ? `one of ${url.protocol}//` : 'what is no address'
    const expected = 'redis://host:port, rediss://host:port or postgres://user@host:port/database'
    const message = `${argument}: expected ${expected}, received ${received}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument, expected })
  }
  // Brackets are of the address, not of the host.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1'
  return { kind: known.kind, url: text, shown: shown(url), host, port: Number(url.port) || known.port }
}

function shown(url: URL): string {
  const copy = new URL(url)
  if (copy.password !== '') copy.password = '***'
  // Files of certificates and what else drivers take: nobody has to see them.
  copy.search = ''
  return copy.href
}

/** A text of a driver, without what is secret. */
export function withoutSecrets({ url, shown }: QueueAddress, text: string): string {
  const { password } = new URL(url)
  const cleaned = text.replaceAll(url, shown)
  return password === '' ? cleaned : cleaned.replaceAll(password, '***').replaceAll(decodeURIComponent(password), '***')
}
