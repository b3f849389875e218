// The step functions of gradus/kernels as the optimizers of the same names in golden.js use them: the slots' names, which
// are zeros at first, and step t, from 1.
import {
  adaDeltaStep,
  adagradStep,
  adamStep,
  amsgradStep,
  lionStep,
  momentumStep,
  nadamStep,
  nesterovStep,
  rmspropStep,
  sgdStep,
} from 'gradus/kernels'
import { rate as learningRate } from './golden.js'

const options = { learningRate }
const moments = ['firstMoment', 'secondMoment']
const rmsprop = (slots, own) => ({
  slots,
  step: (g, w, { cache, ...slots }) => rmspropStep(g, w, cache, { ...options, ...own, ...slots }),
})

export const stepFunctions = {
  sgd: { slots: [], step: (g, w) => sgdStep(g, w, options) },
  momentum: { slots: ['velocity'], step: (g, w, { velocity }) => momentumStep(g, w, velocity, options) },
  nesterov: { slots: ['velocity'], step: (g, w, { velocity }) => nesterovStep(g, w, velocity, options) },
  adagrad: { slots: ['cache'], step: (g, w, { cache }) => adagradStep(g, w, cache, options) },
  rmsprop: rmsprop(['cache'], {}),
  'rmsprop with momentum': rmsprop(['cache', 'velocity'], { momentum: 0.8 }),
  'centred rmsprop': rmsprop(['cache', 'mean'], { centered: true, epsilon: 0.01 }),
  'centred rmsprop with momentum': rmsprop(['cache', 'mean', 'velocity'], {
    ...{ centered: true, momentum: 0.5, epsilon: 0.01 },
  }),
  adaDelta: { slots: ['cache', 'changes'], step: (g, w, slots) => adaDeltaStep(g, w, slots, { learningRate: 0.5 }) },
  adam: { slots: moments, step: (g, w, slots, step) => adamStep(g, w, slots, { ...options, step }) },
  adamW: {
    slots: moments,
    step: (g, w, slots, step) => adamStep(g, w, slots, { ...options, step, weightDecay: 0.1 }),
  },
  amsgrad: {
    slots: [...moments, 'largestSecondMoment'],
    step: (g, w, slots, step) => amsgradStep(g, w, slots, { ...options, step }),
  },
  nadam: { slots: moments, step: (g, w, slots, step) => nadamStep(g, w, slots, { ...options, step }) },
  lion: {
    slots: ['velocity'],
    step: (g, w, { velocity }) => lionStep(g, w, velocity, { ...options, weightDecay: 0.05 }),
  },
}
