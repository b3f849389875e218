// Run with no-threads preloaded: calls while the system starts no thread, and after. Prints what came of each.
import { dense, sequential } from 'gradus'
import { native } from '../../dist/native.js'
import { descriptor, longDataset, program } from './small-program.js'

const outcome = async (work) => {
  try {
    return (await work()).loss > 0 ? 'a loss' : 'a result'
  } catch (error) {
    return `${error.name} ${error.code}`
  }
}
/** Enough of them that a call is not done at once. */
const rowsOf = (count) => longDataset.subset(Uint32Array.from({ length: count }, (_, i) => i))
const evaluate = (of) => outcome(() => of.evaluate({ dataset: rowsOf(2000), batchSize: 1, threads: 1 }))
const others = Array.from({ length: 3 }, () => new native.Program(descriptor))

const outcomes = {}
process.env.NO_THREADS = '1'
outcomes['no thread at all'] = [await evaluate(program), program.busy]
delete process.env.NO_THREADS
outcomes['the first thread'] = [await evaluate(program), program.busy]
process.env.NO_THREADS = '1'
outcomes['four calls, one thread'] = await Promise.all([program, ...others].map((of) => evaluate(of)))
const wide = new native.Program(sequential({ input: [3] }, [dense(20_000)]).descriptor)
outcomes['no thread for a pool'] = await outcome(() =>
  wide.predict({ dataset: rowsOf(120), batchSize: 12, threads: 3 }),
)
console.log(JSON.stringify(outcomes))
