// Opens the run directory given, says so or with what code it is refused, and holds it until standard input ends.
import { openRunFolder } from '../../dist/train/run-folder.js'

const [dir, goesOn] = process.argv.slice(2)
try {
  const folder = await openRunFolder({ dir }, goesOn === 'goes on')
  console.log(`open ${folder.claim}`)
  process.stdin.resume()
  process.stdin.on('end', () => folder.close('stop'))
} catch (error) {
  console.log(`${error.code} ${error.message}`)
}
