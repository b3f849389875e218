// node test/fuzz/run.js [--seed N] [--seconds S | --rounds N] [--only kernels,objects,…] [--from N]
// Hostile use of the native code, by seed. Each kind runs in a process of its own, so that a crash, or a round without end, is
// a finding like any other; after one the next round goes on. Last line: N passed, N failed. With an addon under
// AddressSanitizer: GRADUS_PREBUILD=folder LD_PRELOAD=$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0.
import { spawn } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

export const kinds = ['kernels', 'objects', 'descriptors', 'surface', 'workers', 'moments']
/** Milliseconds without a new round that count as an endless one. */
const patience = process.env.LD_PRELOAD ? 120_000 : 20_000
const mostFindings = 5
const subject = fileURLToPath(new URL('./subject.js', import.meta.url))

/**
 * Rounds of one kind until its time or number is over, or too much was found. Gives { rounds, findings }, a finding being
 * { round, what }.
 */
export async function fuzz(kind, { seed, from = 0, rounds = Infinity, seconds = Infinity, wait = patience }) {
  const findings = []
  const end = performance.now() + 1000 * seconds
  let next = from
  while (next < from + rounds && performance.now() < end && findings.length < mostFindings) {
    const limits = [Math.min(from + rounds - next, 2 ** 31), Math.min((end - performance.now()) / 1000, 2 ** 31)]
    const { last, found, ending } = await part([kind, seed, next, ...limits, mostFindings - findings.length], wait)
    findings.push(...found)
    if (ending) findings.push({ round: last, what: ending })
    next = last + 1
  }
  return { rounds: next - from, findings }
}

/** One process; it says each round before it begins. Gives the last round, what it found, and how it ended unless well. */
function part(arguments_, wait) {
  const child = spawn(process.execPath, ['--expose-gc', subject, ...arguments_.map(String)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const state = { last: arguments_[2] - 1, found: [], isDone: false }
  let [rest, errors] = ['', '']
  let timer
  let isEndless = false
  const restart = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      isEndless = true
      child.kill('SIGKILL')
    }, wait)
  }
  restart()
  child.stdout.on('data', (data) => {
    restart()
    const lines = (rest + data).split('\n')
    rest = lines.pop()
    for (const line of lines) read(line, state)
  })
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-4000)
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const { last, found, isDone } = state
      if (isEndless) resolve({ last, found, ending: `no end within ${wait / 1000} s` })
      else if (isDone && code === 0) resolve({ last, found })
      else resolve({ last, found, ending: `ended with ${signal ?? `code ${code}`}: ${errors.trim()}` })
    })
  })
}

function read(line, state) {
  const [word, ...rest] = line.split(' ')
  if (word === 'done') state.isDone = true
  else if (word === 'found') state.found.push({ round: state.last, what: JSON.parse(rest.join(' ')) })
  else if (/^\d+$/.test(word)) state.last = Number(word)
}

async function main() {
  const options = {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string' },
    from: { type: 'string', default: '0' },
    only: { type: 'string', default: kinds.join(',') },
  }
  const { values } = parseArgs({ options })
  const only = values.only.split(',')
  const limits = values.rounds ? { rounds: Number(values.rounds) } : { seconds: Number(values.seconds) / only.length }
  let failed = 0
  for (const kind of only) {
    const { rounds, findings } = await fuzz(kind, { seed: values.seed, from: Number(values.from), ...limits })
    console.log(`${kind}: ${rounds} rounds, ${findings.length} findings`)
    for (const { round, what } of findings) {
      console.log(
        `\n${what}\nagain: node test/fuzz/run.js --only ${kind} --seed ${values.seed} --from ${round} --rounds 1\n`,
      )
    }
    failed += findings.length > 0 ? 1 : 0
  }
  console.log(`${only.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
