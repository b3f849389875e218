// Samplers by name.
import { auto } from '../../dist/search/samplers/auto.js'
import { cmaEs } from '../../dist/search/samplers/cma-es.js'
import { gaussianProcess } from '../../dist/search/samplers/gaussian-process/gaussian-process.js'
import { random } from '../../dist/search/samplers/random.js'
import { tpe } from '../../dist/search/samplers/tpe/tpe.js'

export const samplers = { random, tpe, gaussianProcess, auto, cmaEs }
