// `node scripts/native.js [TARGET…]`: compiles what has changed of the native code, by node-gyp; all of it without targets.
// What was built before stays in its place until the new one is linked. Options after -- go to gyp.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, findHeaders, isCommand, requireTools } from './tools.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const nodeGyp = fileURLToPath(new URL('../node_modules/node-gyp/bin/node-gyp.js', import.meta.url))

/** Ends the process when that fails. */
export function compile(targets, gypOptions = []) {
  if (!existsSync(nodeGyp)) fail('The packages for development are missing: run npm ci, without --omit=dev')
  requireTools(['g++', 'make', 'python3'])
  const nodedir = findHeaders(nodeGyp)
  const env = { ...process.env, ...(nodedir && { npm_config_nodedir: nodedir }) }
  const run = (...args) => {
    const { status } = spawnSync(process.execPath, [nodeGyp, ...args], { cwd: root, env, stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
  run('configure', '--loglevel', 'error', '--', ...gypOptions)
  run('build', ...targets, '-j', 'max', '--loglevel', 'silent')
}

if (isCommand(import.meta.url)) {
  const args = process.argv.slice(2)
  const end = args.includes('--') ? args.indexOf('--') : args.length
  compile(args.slice(0, end), args.slice(end + 1))
}
