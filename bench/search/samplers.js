// Samplers by name.
import { gaussianProcess } from '../../dist/search/samplers/gaussian-process/gaussian-process.js'
import { random } from '../../dist/search/samplers/random.js'

export const samplers = { random, gaussianProcess }
