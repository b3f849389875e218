// What a build was made of: hashes of its sources and of what came out, kept beside it. Times tell nothing after a clone.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
/** As node-gyp-build names them. */
export const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
const tag = process.platform === 'linux' ? `.${libc}` : ''
/** The binary of the package for this platform. */
export const prebuild = `prebuilds/${process.platform}-${process.arch}/gradus${tag}.node`
/** The package's library for GPUs, made on Linux x86-64 alone, and what it is made of. */
export const cudaLibrary = 'prebuilds/linux-x64/gradus_cuda.so'
export const mostCudaBytes = 8e6
export const cudaSources = ['CMakeLists.txt', 'cmake', 'native/kernels', 'native/sources.gypi']
/** What the addon is made of. */
export const addonSources = ['binding.gyp', 'native', 'node_modules/node-addon-api/package.json']

/** Files, and files in folders, from the root on, by name; what does not exist has no bytes. */
export function hashOf(...paths) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${libc}`)
  for (const path of paths) {
    const whole = join(root, path)
    if (!existsSync(whole)) hash.update(`\0${path} is not there`)
    else for (const file of filesOf(whole)) hash.update(`\0${file}\0`.slice(root.length)).update(readFileSync(file))
  }
  return hash.digest('hex')
}

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path]
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

const place = 'build/stamps.json'

export function readStamps() {
  try {
    return JSON.parse(readFileSync(join(root, place), 'utf8'))
  } catch {
    return {}
  }
}

export const writeStamps = (stamps) => replace(place, JSON.stringify(stamps, null, 2))

/** Writes a file, from the root on, beside its place and moves it there: it is the old one or the new one, never half. */
export function replace(path, content) {
  const whole = join(root, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(`${whole}.new`, content)
  renameSync(`${whole}.new`, whole)
}
