// Claims the number of each line of standard input in the folder given, and says whether it has won.
import { createInterface } from 'node:readline'
import { putClaim } from '../../dist/claim.js'

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log((await putClaim(process.argv[2], Number(line), { process: process.pid })) ? 'won' : 'lost')
}
