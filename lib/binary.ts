/** Finds the native binary for this machine and loads it, or says in a sentence why there is none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GradusError } from './errors.js'

const code = 'GRADUS_MISSING_BINARY'

/**
 * `build/Release` of a checkout comes first, where node-gyp and cmake-js write; a package carries `prebuilds/`.
 *
 * @param url of a module in the package's `dist/`; a bundler that makes CommonJS leaves undefined of it
 * @throws `GRADUS_MISSING_BINARY` when there is none for this machine, or when it does not load
 */
export function loadBinary(url: string | undefined): unknown {
  const packageRoot = rootOf(url)
  const require = createRequire(url!)
  const file = fileOf(url, packageRoot)
  if (file.endsWith('.glibc.node') && isMusl()) {
    throw new GradusError(code, `${file} is for glibc, and this is ${thisMachine()}. ${remedy(packageRoot)}`)
  }
  try {
    return require(file)
  } catch (cause) {
    const message = `${file} cannot be loaded on ${thisMachine()}: ${reason(cause as Error)}. ${remedy(packageRoot)}`
    throw new GradusError(code, message, { cause })
  }
}

function fileOf(url: string | undefined, packageRoot: string): string {
  const find: { resolve(folder: string): string } = createRequire(url!)('node-gyp-build')
  try {
    return find.resolve(packageRoot)
  } catch (cause) {
    const message = `Gradus has no binary for ${thisMachine()}: ${known(packageRoot)}. ${remedy(packageRoot)}`
    throw new GradusError(code, message, { cause })
  }
}

/** The path of the library for GPUs, whether it is there or not. */
export const cudaLibraryBeside = (url: string | undefined): string =>
  join(dirname(fileOf(url, rootOf(url))), 'gradus_cuda.so')

/** A bundle that has the package's modules in it has no binary beside it. */
function rootOf(url: string | undefined): string {
  const root = url && join(dirname(fileURLToPath(url)), '..')
  if (root && existsSync(join(root, 'package.json'))) {
    const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    if (name === 'gradus') return root
  }
  const message =
    'Gradus cannot find its binary from within a bundle: tell the bundler that "gradus" is external, and install it beside'
  throw new GradusError(code, message)
}

/** `linux-x64 with glibc 2.36, Node.js v20.20.2`. */
function thisMachine(): string {
  const library = process.platform !== 'linux' ? '' : isMusl() ? ' with musl' : ` with glibc ${glibcVersion() ?? ''}`
  return `${process.platform}-${process.arch}${library.trimEnd()}, Node.js ${process.version}`
}

/** Loaders lie where every glibc has them; a report takes ten milliseconds, so it is asked only where there is none. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false
  if (process.env.LIBC) return process.env.LIBC === 'musl' // node-gyp-build goes by it too
  const loaders = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1']
  return (
    existsSync('/etc/alpine-release') || (!loaders.some((path) => existsSync(path)) && glibcVersion() === undefined)
  )
}

function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string | undefined } }
  return header.glibcVersionRuntime
}

/** What `prebuilds/` has: `there are those for linux-x64 (glibc) and darwin-arm64`. */
function known(packageRoot: string): string {
  const folder = join(packageRoot, 'prebuilds')
  const machines = existsSync(folder) ? readdirSync(folder) : []
  const names = machines.flatMap((machine) =>
    readdirSync(join(folder, machine))
      .filter((file) => file.endsWith('.node'))
      .map((file) => {
        const library = /\.(glibc|musl)\.node$/.exec(file)?.[1]
        return library ? `${machine} (${library})` : machine
      }),
  )
  return names.length === 0 ? 'prebuilds/ is empty' : `prebuilds/ has those for ${names.join(' and ')}`
}

/** A version that is not found: `version `GLIBC_2.32' not found (required by …)`; else the loader's own words. */
function reason({ message }: Error): string {
  const needed = /version `GLIBC_([\d.]+)' not found/.exec(message)?.[1]
  return needed ? `it needs glibc ${needed} or newer` : message.split('\n', 1)[0]!
}

/** A checkout has the sources beside; a package does not. */
function remedy(packageRoot: string): string {
  return existsSync(join(packageRoot, 'binding.gyp'))
    ? 'Run npm run compile'
    : 'Build one on such a machine: npm ci and npm pack in a checkout of the sources make a package that has it'
}
