// Pictures of runs drawn by hand: which rules must fire on them, and no others.
import { classPictures } from './class-pictures.js'
import { stack, stuck, weights } from './picture-parts.js'
import { falling, wobble } from './recordings.js'

const add = (a, b) => (t, i) => a(t, i) + b(t, i)

/** The picture, the only rules that fire, its severity and since when. */
export const pictures = {
  'a fall as it should be': { rule: 'healthy', severity: 'info', given: {} },
  'a regression as it should be': {
    rule: 'healthy',
    severity: 'info',
    given: { loss: falling(40, 2), info: { descriptor: { loss: { kind: 'mean_squared_error' } } } },
  },
  'a line down, with hardly moving weights': {
    rule: 'learningRateTooLow',
    severity: 'severe',
    given: { loss: (t) => 2.3 - 0.1 * t, tensors: weights(2e-5) },
  },
  'a line down, half way': {
    rule: 'learningRateTooLow',
    severity: 'warning',
    given: { loss: (t) => 2.3 - 0.8 * t, tensors: weights(5e-5) },
  },
  'a flat end that a schedule made': {
    rule: 'underfitting',
    severity: 'warning',
    given: { loss: falling(2.3, 1.5, 20), rate: falling(0.01, 0, 20), tensors: weights(falling(5e-3, 0, 20)) },
  },
  'a high level after updates as large as the weights': {
    rule: 'learningRateTooHigh',
    severity: 'severe',
    given: { loss: add(falling(2.3, 1.6, 40), wobble(0.1)), tensors: weights((_, i) => (i < 10 ? 0.3 : 4e-3)) },
  },
  'a loss near the least that smoothed targets have': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(2.3, 0.95, 40),
      rate: (t) => (t < 0.6 ? 0.01 : 0.001),
      tensors: weights((_, i) => (i < 10 ? 0.3 : 4e-3)),
      info: { descriptor: { loss: { kind: 'softmax_cross_entropy', smoothing: 0.2 } } },
    },
  },
  'a level far above the least that smoothed targets have': {
    rule: 'learningRateTooHigh',
    severity: 'severe',
    given: {
      loss: add(falling(2.3, 1.6, 40), wobble(0.1)),
      tensors: weights((_, i) => (i < 10 ? 0.3 : 4e-3)),
      info: { descriptor: { loss: { kind: 'softmax_cross_entropy', smoothing: 0.2 } } },
    },
  },
  'large updates of muon that do no harm': {
    rule: 'healthy',
    severity: 'info',
    given: { tensors: weights(0.07), info: { descriptor: { optimizer: { kind: 'muon' } } } },
  },
  'a bouncing loss at large updates': {
    rule: 'learningRateTooHigh',
    severity: 'warning',
    given: { loss: falling(2.3, 0.7, 40), tensors: weights(0.02) },
  },
  'a training loss that comes up again': {
    rule: 'learningRateTooHigh',
    severity: 'warning',
    given: { loss: (t) => 0.5 + t, tensors: weights(5e-3) },
  },
  'an explosion': {
    rule: 'learningRateMuchTooHigh',
    severity: 'severe',
    since: { step: 100, epoch: 6 },
    given: { loss: (_, i) => (i < 100 ? 2.3 : 400), tensors: weights(0.4) },
  },
  'a loss that jumps': { rule: 'lossTooNoisy', severity: 'warning', given: { noise: 0.4 } },
  'validation that turns while training goes on': {
    rule: 'overfitting',
    severity: 'warning',
    since: { step: 160, epoch: 8 },
    given: { loss: falling(2.3, 0.01, 8), epochs: { valLoss: (t) => 0.5 + 2 * (t - 0.375) ** 2 } },
  },
  'validation worse than guessing': {
    rule: 'overfitting',
    severity: 'severe',
    given: { loss: falling(2.3, 0.01, 8), epochs: { valLoss: (t) => 1.5 + 4 * Math.max(0, t - 0.2) } },
  },
  'both curves together and flat, high up': {
    rule: 'underfitting',
    severity: 'warning',
    given: { loss: falling(2.3, 1.5, 20) },
  },
  'a flat end at a constant rate': { rule: 'plateau', severity: 'warning', given: { loss: falling(2.3, 0.5, 20) } },
  'a flat end at a rate that came down': {
    rule: 'healthy',
    severity: 'info',
    given: { loss: falling(2.3, 0.5, 20), rate: (t) => (t < 0.6 ? 0.01 : 0.001) },
  },
  'values that vanish with depth': {
    rule: 'badInitialization',
    severity: 'severe',
    since: { step: 0, epoch: 1 },
    given: { loss: stuck, layers: stack('tanh', 4, (i) => ({ deviation: 0.5 * 10 ** -i })) },
  },
  'values that explode with depth': {
    rule: 'badInitialization',
    severity: 'warning',
    given: { layers: stack('relu', 4, (i) => ({ deviation: 6 ** i })) },
  },
  'a first loss far above guessing': {
    rule: 'badInitialization',
    severity: 'warning',
    given: { loss: falling(80, 0.3, 20), rate: falling(0.01, 0.001) },
  },
  'a norm after large values': {
    rule: 'healthy',
    severity: 'info',
    given: {
      layers: {
        dense1: { op: 'dense', deviation: 300 },
        norm1: { op: 'layer_norm' },
        relu1: { op: 'relu', deviation: 0.6 },
        scores: { op: 'dense' },
      },
    },
  },
  'relus that die half way': {
    rule: 'deadRelus',
    severity: 'warning',
    since: { step: 200, epoch: 11 },
    given: { layers: stack('relu', 2, () => ({ dead: (_, i) => (i < 10 ? 0.1 : 0.8) })) },
  },
  'relus that begin dead': {
    rule: 'deadRelus',
    severity: 'severe',
    given: { loss: stuck, tensors: weights(0), layers: stack('relu', 2, () => ({ dead: 1 })) },
  },
  'saturated from the start': {
    rule: 'saturatedUnits',
    severity: 'severe',
    given: { loss: stuck, layers: stack('tanh', 2, () => ({ saturated: 0.9 })) },
  },
  'scores that are meant to be at the ends': {
    rule: 'healthy',
    severity: 'info',
    given: { layers: { relu1: { op: 'relu' }, sigmoid1: { op: 'sigmoid', saturated: 0.95 } } },
  },
  'gradients that vanish': {
    rule: 'gradients',
    severity: 'severe',
    given: {
      loss: stuck,
      tensors: Object.fromEntries(
        [1, 2, 3, 4, 5, 6].map((i) => [
          `dense${i}.weight`,
          { shape: [32, i < 6 ? 32 : 10], ratio: 10 ** (i - 8), gradientNorm: 10 ** (i - 6) },
        ]),
      ),
    },
  },
  'one layer that is held': {
    rule: 'slowLayer',
    severity: 'warning',
    given: {
      tensors: {
        'a.weight': { shape: [9, 9] },
        'b.weight': { shape: [9, 9], ratio: 1e-7 },
        'c.weight': { shape: [9, 9] },
      },
    },
  },
  ...classPictures,
  'a regression cut by what the targets depend on': {
    rule: 'badSplit',
    severity: 'severe',
    given: {
      loss: falling(1, 0.01, 8),
      epochs: { valLoss: (t) => 3 - t },
      info: {
        descriptor: { loss: { kind: 'mean_squared_error' } },
        targets: { rows: 800, isWeighted: false, chance: 1, mean: 0, deviation: 1 },
        validationTargets: { rows: 200, isWeighted: false, chance: 0.3, mean: 2, deviation: 0.55 },
      },
    },
  },
  'targets in dollars, half learned': {
    rule: 'unscaledTargets',
    severity: 'warning',
    given: {
      loss: falling(5.8e10, 6.6e9, 10),
      info: {
        descriptor: { loss: { kind: 'mean_squared_error' } },
        targets: { rows: 1000, isWeighted: false, chance: 1.3e10, mean: 2e5, deviation: 1.15e5 },
      },
    },
  },
  'targets in hundreds, learned well': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(5e4, 300, 10),
      info: {
        descriptor: { loss: { kind: 'mean_squared_error' } },
        targets: { rows: 1000, isWeighted: false, chance: 1e4, mean: 200, deviation: 100 },
      },
    },
  },
  'a regression no better than the mean': {
    rule: 'underfitting',
    severity: 'warning',
    message: /100 % of chance level/,
    given: {
      loss: falling(2, 1, 40),
      epochs: { valLoss: undefined },
      info: {
        descriptor: { loss: { kind: 'mean_squared_error' } },
        targets: { rows: 1000, isWeighted: false, chance: 1, mean: 0, deviation: 1 },
      },
    },
  },
  'a validation curve that turns on easy data': {
    rule: 'overfitting',
    severity: 'warning',
    given: { loss: falling(2.3, 0.002, 12), epochs: { valLoss: (t) => 0.1 + 0.1 * Math.max(0, t - 0.5) } },
  },
  'a validation curve that wobbles': {
    rule: 'healthy',
    severity: 'info',
    given: { loss: falling(2.3, 0.05, 8), epochs: { valLoss: add(falling(2.3, 0.1, 8), wobble(0.02)) } },
  },
  'validation below training, with class weights': {
    rule: 'healthy',
    severity: 'info',
    given: { epochs: { valLoss: falling(1.5, 0.1) }, info: { options: { classWeights: [1, 20] } } },
  },
  'validation far above training, with class weights': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(2.3, 0.1),
      epochs: { valLoss: falling(2.3, 0.7) },
      info: { options: { classWeights: [1, 20] } },
    },
  },
  'validation below training, by fewer rare examples': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: falling(0.7, 0.05),
      epochs: { valLoss: falling(0.7, 0.03) },
      info: {
        targets: { rows: 2000, isWeighted: false, chance: 0.0805, classCounts: [1969, 31] },
        validationTargets: { rows: 500, isWeighted: false, chance: 0.051, classCounts: [495, 5] },
      },
    },
  },
  'rare classes and no better than their shares': {
    rule: 'underfitting',
    severity: 'warning',
    given: {
      loss: falling(0.7, 0.056, 40),
      info: { targets: { rows: 10000, isWeighted: false, chance: 0.056, classCounts: [9900, 100] } },
    },
  },
  'one batch of a rare class after a run that went well': {
    rule: 'healthy',
    severity: 'info',
    given: {
      loss: (t, i) => (i === 300 ? 0.4 : falling(0.69, 0.001, 12)(t)),
      info: { targets: { rows: 10000, isWeighted: false, chance: 0.0079, classCounts: [9990, 10] } },
    },
  },
  'refused steps': {
    rule: 'nonFinite',
    severity: 'severe',
    since: { step: 120, epoch: 7 },
    given: {
      refused: (_, i) => (i >= 120 ? 1 : 0),
      refusal: { step: 120, layer: 'relu1', tensor: null },
      end: { step: 400, time: 0, stoppedBy: 'error' },
    },
  },
  'one refused step': {
    rule: 'nonFinite',
    severity: 'warning',
    given: { refused: (_, i) => (i === 50 ? 1 : 0), refusal: { step: 50, layer: null, tensor: 'dense1.weight' } },
  },
  'validation below training, with dropout': {
    rule: 'validationEasier',
    severity: 'info',
    given: { epochs: { valLoss: falling(1.5, 0.1) }, info: { descriptor: { nodes: [{ op: 'dropout' }] } } },
  },
  'validation below training, with dropout of channels': {
    rule: 'validationEasier',
    severity: 'info',
    given: { epochs: { valLoss: falling(1.5, 0.1) }, info: { descriptor: { nodes: [{ op: 'spatial_dropout' }] } } },
  },
  'validation below training, with batch norm': {
    rule: 'validationEasier',
    severity: 'info',
    given: { epochs: { valLoss: falling(1.5, 0.1) }, info: { descriptor: { nodes: [{ op: 'batch_norm' }] } } },
  },
  'validation below training, for no reason': {
    rule: 'validationEasier',
    severity: 'warning',
    given: { epochs: { valLoss: falling(1.5, 0.1) } },
  },
  'a rate near the limit of momentum': {
    rule: 'nearStabilityLimit',
    severity: 'warning',
    since: { step: 400, epoch: 20 },
    given: {
      rate: 0.0185,
      momentum: 0.9,
      info: { descriptor: { optimizer: { kind: 'momentum', momentum: 0.9 } } },
      sharpness: [{ epoch: 20, step: 400, eigenvalue: 200, learningRateLimit: 0.01 }],
    },
  },
  'the same rate without a measured limit': { rule: 'healthy', severity: 'info', given: { rate: 0.0185 } },
  'the same curvature under Adam': {
    rule: 'healthy',
    severity: 'info',
    given: {
      rate: 0.0185,
      info: { descriptor: { optimizer: { kind: 'adam' } } },
      sharpness: [{ epoch: 20, step: 400, eigenvalue: 200, learningRateLimit: 0.01 }],
    },
  },
  'thirty steps': { rule: 'tooShort', severity: 'info', given: { count: 30, epochCount: 1 } },
}
