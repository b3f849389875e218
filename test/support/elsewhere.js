// Trains a tiny run into the directory given for ever, on a machine that is called otherwise, with a checkpoint after each step.
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

os.hostname = () => 'far-away'
syncBuiltinESMExports()
const { checkpoint, monitor } = await import('../../dist/index.js')
const { fitTiny, tinyModel } = await import('./tiny-run.js')

const [dir, first] = process.argv.slice(2)
const told = ({ epoch }) => void (epoch === Number(first) && console.log('trains'))
const callbacks = [monitor({ histograms: 1 }), told, checkpoint({ every: { steps: 1 }, keep: 3 })]
await fitTiny(tinyModel(), dir, { epochs: 1e9, stepsPerCall: 1, callbacks }).done
