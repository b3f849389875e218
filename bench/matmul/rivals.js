// The rivals' libraries, each behind the interface of product.h, and the kernels of another checkout behind the same.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProcess } from '../lib/process.js'
import { rivalLibraries, rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const compile = (...args) =>
  runProcess('g++', ['-std=c++17', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', ...args])

/** Name to what it is linked with. */
function libraries() {
  const found = {}
  if (rivalsPython()) {
    const packages = readdirSync(rivalLibraries).find((name) => /^python3\.\d+$/.test(name))
    const openblas = join(rivalLibraries, packages, 'site-packages/scipy_openblas32/lib/libscipy_openblas.so')
    const python = rivalLibraries
    const search = `-Wl,-rpath,${python},--allow-shlib-undefined`
    found.mkl = [join(python, 'libmkl_rt.so.3'), search]
    found.onednn = [`-I${join(python, '../include')}`, join(python, 'libdnnl.so.3'), search]
    found.openblas = [openblas, `-Wl,-rpath,${join(openblas, '..')}`]
  }
  if (existsSync('/usr/include/libxsmm.h')) found.libxsmm = ['-lxsmm', '-lxsmmnoblas']
  else console.error('No libxsmm: apt-get install libxsmm-dev')
  return found
}

/** Name to compiled library, for one thread or for several. */
export async function compileRivals(folder, threads) {
  const compiled = {}
  for (const [name, linked] of Object.entries(libraries())) {
    if (name === 'libxsmm' && threads > 1) continue // it has no threads of its own
    const file = join(folder, `${name}.so`)
    if (!existsSync(file)) await compile(path(`rivals/${name}.cc`), ...linked, '-o', file)
    compiled[name] = file
  }
  return compiled
}

/** The kernels of the checkout for one instruction set, with the flags that its own build gives them. */
export async function compileCheckout(checkout, isa, folder) {
  const lists = JSON.parse(readFileSync(join(checkout, 'native/sources.gypi'), 'utf8')).variables
  const native = join(checkout, 'native')
  mkdirSync(folder)
  const file = join(folder, 'checkout.so')
  const flags = ['-fPIC', ...lists.native_cflags, ...lists[`${isa}_cflags`], '-w', `-I${native}`]
  const kernels = join(folder, 'kernels.o')
  await runProcess('g++', [...flags, '-c', join(native, `kernels/cpu/${isa}.cc`), '-o', kernels])
  await compile(`-I${native}`, `-DTABLE=${isa}_table`, path('rivals/checkout.cc'), kernels, '-o', file)
  return file
}
