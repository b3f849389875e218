// `node scripts/tools.js NAME…`: whether the tools that a command needs are there. Each that is missing is named in one
// line, with the way to get it, before a compiler or a shell says so in thirty.
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const runs = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const version = (command) => runs(...command.split(' '), '--version')
const pythonCheck = 'import sys; sys.exit(sys.version_info < (3, 8))'
const pythons = [process.env.npm_config_python, process.env.PYTHON, 'python3', 'python'].filter(Boolean)
const compiler = process.env.CXX ?? (process.platform === 'linux' ? 'g++' : 'c++')

/** Name to whether it is there, the Debian package that has it, and what else would do. */
const tools = {
  'g++': { isThere: () => version(compiler), package: 'g++', or: 'name another compiler in CXX' },
  make: { isThere: () => version(process.env.MAKE ?? 'make'), package: 'make' },
  python3: { isThere: () => pythons.some((python) => runs(python, '-c', pythonCheck)), package: 'python3' },
  cmake: { isThere: () => version('cmake'), package: 'cmake' },
  img2webp: { isThere: () => runs('img2webp', '-version'), package: 'webp' },
  script: { isThere: () => version('script'), package: 'bsdutils' },
  strace: { isThere: () => runs('strace', '-o', '/dev/null', 'true'), package: 'strace' },
  'clang-format': { isThere: () => version('clang-format'), package: 'clang-format' },
}

/** Ends the process with a sentence when one of them is missing. */
export function requireTools(names) {
  const missing = names.filter((name) => !tools[name].isThere())
  if (missing.length === 0) return
  const packages = missing.map((name) => tools[name].package).join(' ')
  const others = missing.flatMap((name) => tools[name].or ?? [])
  const are = missing.length > 1 ? 'are' : 'is'
  fail(
    `${missing.join(', ')} ${are} missing: apt-get install ${packages} (Debian, Ubuntu; elsewhere what your system calls ` +
      `${missing.length > 1 ? 'them' : 'it'}${others.map((other) => `; or ${other}`).join('')})`,
  )
}

/** Ends the process with the sentence alone. */
export function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}

/**
 * Where Node.js's headers lie, for node-gyp and cmake-js; undefined where they have been downloaded before. Ends the process
 * with a sentence when they are not there and cannot be downloaded.
 */
export function findHeaders(nodeGyp) {
  const { npm_config_nodedir: given, npm_config_devdir: cache = defaultCache() } = process.env
  if (given) return given
  const prefix = dirname(dirname(process.execPath))
  if (existsSync(join(prefix, 'include/node/node_api.h'))) return prefix
  const downloaded = join(cache, process.versions.node, 'include/node/node_api.h')
  if (existsSync(downloaded)) return undefined
  console.log('Downloading the headers of Node.js')
  if (spawnSync(process.execPath, [nodeGyp, 'install', '--ensure'], { stdio: 'ignore' }).status === 0) return undefined
  fail(
    'The headers of Node.js (node_api.h) are missing and could not be downloaded: apt-get install libnode-dev (Debian’s ' +
      'nodejs), or name in npm_config_nodedir the folder that has them in include/node',
  )
}

/** Whether a module is what node was called with, rather than imported. */
export const isCommand = (url) => realpathSync(process.argv[1]) === fileURLToPath(url)

const defaultCache = () =>
  process.platform === 'darwin' ? join(homedir(), 'Library/Caches/node-gyp') : join(homedir(), '.cache/node-gyp')

if (isCommand(import.meta.url)) requireTools(process.argv.slice(2))
