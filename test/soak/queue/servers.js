// Redis and PostgreSQL of a test's own: on a port of their own, with their data in a folder of the test's, ended by it.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { until } from '../../support/until.js'

export function freePort(host = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

const listens = (port, host = '127.0.0.1') =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Ends with the test's process at the latest. */
function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'ignore', ...options })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise((resolve) => child.once('close', resolve))
  return { child, ended: ended.then(() => process.off('exit', kill)) }
}

export async function redis(folder, { host = '127.0.0.1', more = [], prefix = [] } = {}) {
  const port = await freePort()
  const command = [
    ...prefix,
    'redis-server',
    '--port',
    `${port}`,
    '--bind',
    host,
    '--save',
    '',
    '--dir',
    folder,
    ...more,
  ]
  let server
  const begin = async () => {
    server = start(command[0], command.slice(1))
    if (prefix.length === 0) await until(() => listens(port, host))
  }
  await begin()
  return {
    name: 'redis',
    url: `redis://${host}:${port}`,
    port,
    begin,
    async end() {
      server.child.kill('SIGKILL')
      await server.ended
    },
  }
}

const binaries = () => {
  const root = '/usr/lib/postgresql'
  const versions = readdirSync(root).sort((a, b) => b - a)
  return join(root, versions[0], 'bin')
}

/**
 * It does not run as root: then as the user that Debian has made for it. With a password, nobody comes in without; with a
 * certificate and its key, as files, nobody comes in without TLS.
 */
export async function postgres(folder, { password = null, certificate = null } = {}) {
  const [port, data] = [await freePort(), join(folder, 'data')]
  mkdirSync(data, { recursive: true })
  const user = process.getuid() === 0 ? idsOf('postgres') : {}
  if (user.uid !== undefined) {
    chmodSync(folder, 0o755)
    chownSync(data, user.uid, user.gid)
  }
  const quiet = { stdio: 'ignore', ...user, cwd: '/' }
  const own = (name, text) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (user.uid !== undefined) chownSync(path, user.uid, user.gid)
    return path
  }
  const how = password === null ? ['-A', 'trust'] : ['-A', 'scram-sha-256', `--pwfile=${own('password', password)}`]
  execFileSync(join(binaries(), 'initdb'), ['-D', data, ...how, '-U', 'postgres', '--no-sync'], quiet)
  const args = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', data]
  if (certificate !== null) {
    const [file, key] = certificate.map((path, i) => own(['server.pem', 'server.key'][i], readFileSync(path)))
    args.push('-c', 'ssl=on', '-c', `ssl_cert_file=${file}`, '-c', `ssl_key_file=${key}`)
    writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
  }
  let server
  const begin = async () => {
    server = start(join(binaries(), 'postgres'), args, quiet)
    await until(() => listens(port))
  }
  await begin()
  return {
    name: 'postgres',
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    begin,
    async end() {
      // At once, as when its machine goes down: SIGQUIT is its own name for that.
      server.child.kill('SIGQUIT')
      await server.ended
      rmSync(join(data, 'postmaster.pid'), { force: true })
    },
  }
}

function idsOf(name) {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' })))
  return { uid, gid }
}

export const servers = { redis, postgres }
