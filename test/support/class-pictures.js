// Pictures of runs whose classes are rare, missing or torn apart: see pictures.js.
import { counts, even } from './picture-parts.js'
import { falling } from './recordings.js'

export const classPictures = {
  'one class for all': {
    rule: 'classCollapse',
    severity: 'severe',
    since: { step: 200, epoch: 10 },
    given: {
      predictions: [5, 10, 20].map((epoch) => ({
        epoch,
        step: 20 * epoch,
        predicted: epoch > 5 ? counts(3, 1) : even,
        actual: even,
      })),
    },
  },
  'one class for all where it is common, and the loss beats the base rate': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(2.3, 0.04),
      predictions: [1, 20].map((epoch) => ({ epoch, step: epoch, predicted: counts(3, 1), actual: counts(3, 0.98) })),
    },
  },
  'one class for all where it is common, and no more than that is known': {
    rule: 'classCollapse',
    severity: 'severe',
    given: {
      loss: falling(2.3, 0.142, 40),
      predictions: [1, 20].map((epoch) => ({ epoch, step: epoch, predicted: counts(3, 1), actual: counts(3, 0.98) })),
    },
  },
  'one of two classes for all where it is common': {
    rule: 'classCollapse',
    severity: 'severe',
    advice: /imbalanced: classWeights/,
    given: {
      loss: falling(0.7, 0.21, 40),
      predictions: [1, 20].map((epoch) => ({ epoch, step: epoch, predicted: [1000, 0], actual: [947, 53] })),
    },
  },
  'the same with 8 of the 53 found, below the base rate': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(0.7, 0.139),
      predictions: [1, 20].map((epoch) => ({ epoch, step: epoch, predicted: [990, 10], actual: [947, 53] })),
    },
  },
  'three rare examples, of which none is found': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(0.7, 0.02),
      predictions: [1, 20].map((epoch) => ({ epoch, step: epoch, predicted: [1000, 0], actual: [997, 3] })),
    },
  },
  'validation on a class that training lacks': {
    rule: 'badSplit',
    severity: 'severe',
    message: /100 % of the validation examples belong to class 4, of which training has none/,
    given: {
      loss: falling(1.4, 0.01, 8),
      epochs: { valLoss: (t) => 4 + 4 * t },
      info: {
        targets: { rows: 800, isWeighted: false, chance: Math.log(4), classCounts: [200, 200, 200, 200, 0] },
        validationTargets: { rows: 200, isWeighted: false, chance: 0, classCounts: [0, 0, 0, 0, 200] },
      },
    },
  },
  'classes of two that a random split tears apart': {
    rule: 'healthy',
    severity: 'info',
    given: {
      info: {
        targets: {
          rows: 160,
          isWeighted: false,
          chance: 4.5,
          classCounts: Array.from({ length: 100 }, (_, i) => [2, 2, 2, 2, 0][i % 20] ?? 2),
        },
        validationTargets: {
          rows: 40,
          isWeighted: false,
          chance: 3.5,
          classCounts: Array.from({ length: 100 }, (_, i) => (i % 20 === 4 ? 2 : 0)),
        },
      },
    },
  },
}
