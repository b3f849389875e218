// Compiles a .cc file of this folder into a shared library of its own: what a test cannot do from JavaScript.
import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export async function sharedLibrary(name) {
  const source = fileURLToPath(new URL(`./${name}.cc`, import.meta.url))
  const library = join(await mkdtemp(join(tmpdir(), 'gradus-')), `${name}.so`)
  await promisify(execFile)(process.env.CXX ?? 'c++', ['-shared', '-fPIC', '-o', library, source, '-ldl'])
  return library
}
