// `npm run build:cuda`: compiles the library for NVIDIA GPUs, for the package and for the checkout's own addon; with --tests
// the tests that run on a card as well, which take the rest from what node-gyp has built. Where no CUDA compiler is found it
// comes from PyPI, into a virtual environment beside the build. Fails where a kernel spills registers, has a stack frame, or has
// too many registers for its occupancy.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { cudaLibrary, cudaSources, hashOf, mostCudaBytes, readStamps, root, writeStamps } from './stamps.js'
import { fail, isCommand, requireTools } from './tools.js'

const version = '13.0'
const folder = join(root, 'build-cuda')
const environment = join(folder, 'nvcc')
const packages = ['nvidia-cuda-nvcc', 'nvidia-cuda-runtime', 'nvidia-cuda-cccl', 'nvidia-cuda-crt', 'nvidia-nvvm']

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) fail(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** The compiler in an environment that was made before. */
function installed() {
  const library = join(environment, 'lib')
  if (!existsSync(library)) return undefined
  const python = readdirSync(library).find((name) => name.startsWith('python'))
  const nvcc = join(library, python ?? '', 'site-packages/nvidia/cu13/bin/nvcc')
  return existsSync(nvcc) ? nvcc : undefined
}

/** The path of nvcc: NVCC, one that is on the PATH, or that of the virtual environment, which is made if need be. */
export function findCompiler() {
  if (process.env.NVCC) return process.env.NVCC
  const found = spawnSync('which', ['nvcc'], { encoding: 'utf8' })
  if (found.status === 0) return found.stdout.trim()
  if (!installed()) {
    requireTools(['python3'])
    console.log('Installing the CUDA compiler from PyPI (271 MB)')
    run('python3', '-m', 'venv', environment)
    run(join(environment, 'bin/pip'), 'install', '--quiet', ...packages.map((name) => `${name}==${version}.*`))
  }
  return installed() ?? fail(`There is no nvcc in ${environment}`)
}

/**
 * So many blocks of so many threads are to have room in the registers of a multiprocessor at once: kernels by a part of the
 * names that the compiler gives them.
 */
export const occupancies = [
  { kernel: /multiply_tiles.*TileShapeIfLj128E/, threads: 256, blocks: 2 },
  { kernel: /multiply_tiles.*TileShapeI[fd]Lj64E/, threads: 256, blocks: 2 },
  { kernel: /multiply_tiles.*TileShapeI[fd]Lj32E/, threads: 64, blocks: 8 },
  { kernel: /update_teams/, threads: 64, blocks: 7 },
  { kernel: /update_spread/, threads: 256, blocks: 2 },
  { kernel: /update_stretch/, threads: 256, blocks: 1 },
]
const registersOfMultiprocessor = 65_536
/** They are given to a thread by so many. */
const registersAtOnce = 8

/** What ptxas says of kernels that keep something on a stack, or have more registers than there is room for. */
export function troublesIn(text) {
  const kernels = text.split(/(?=Compiling entry function)/).filter((of) => of.startsWith('Compiling'))
  return kernels.flatMap((of) => {
    const name =
      of
        .match(/'(\S+)' for '(\S+)'/)
        ?.slice(1)
        .join(' for ') ?? of
    const stack = of.match(/[1-9]\d* bytes (stack frame|spill \w+)/)
    const used = Number(of.match(/Used (\d+) registers/)?.[1] ?? Number.NaN)
    const given = Math.ceil(used / registersAtOnce) * registersAtOnce
    const crowded = occupancies.find(({ kernel }) => kernel.test(name))
    const most = crowded ? registersOfMultiprocessor / crowded.threads / crowded.blocks : Number.POSITIVE_INFINITY
    if (stack) return [`${name}: ${stack[0]}`]
    return given <= most ? [] : [`${name}: ${used} registers, ${most} at most`]
  })
}

/** A copy beside its place, then moved there: it is the old one or the new one, never half. */
function put(file, place) {
  mkdirSync(dirname(place), { recursive: true })
  copyFileSync(file, `${place}.new`)
  renameSync(`${place}.new`, place)
}

if (isCommand(import.meta.url)) {
  requireTools(['g++', 'make', 'cmake'])
  const nvcc = findCompiler()
  const sources = hashOf(...cudaSources)
  const targets = process.argv.includes('--tests')
    ? ['gradus_cuda', 'gradus_cuda_tests', 'gradus_device_bench']
    : ['gradus_cuda']
  const core = `-DGRADUS_CORE=${join(root, 'build/Release/obj.target')}`
  run('cmake', '-S', root, '-B', folder, '-DGRADUS_ADDON=OFF', '-DGRADUS_TESTS=OFF', core, `-DGRADUS_NVCC=${nvcc}`)
  run('cmake', '--build', folder, '--target', ...targets, '--parallel', String(availableParallelism()))
  const reports = readdirSync(join(folder, 'cuda')).filter((name) => name.endsWith('.txt'))
  const said = reports.map((name) => readFileSync(join(folder, 'cuda', name), 'utf8')).join('\n')
  const troubles = troublesIn(said)
  if (troubles.length > 0) fail(`These kernels need a stack, or too many registers:\n${troubles.join('\n')}`)
  const missing = occupancies.filter(({ kernel }) => !kernel.test(said))
  if (missing.length > 0) fail(`There is no kernel ${missing.map(({ kernel }) => kernel.source).join(', ')}`)
  const { size } = statSync(join(folder, 'gradus_cuda.so'))
  if (size > mostCudaBytes) fail(`The library has ${size} bytes, more than ${mostCudaBytes}`)
  for (const place of [cudaLibrary, 'build/Release/gradus_cuda.so'])
    put(join(folder, 'gradus_cuda.so'), join(root, place))
  writeStamps({ ...readStamps(), cuda: { sources, result: hashOf(cudaLibrary) } })
}
