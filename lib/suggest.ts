/** What somebody may have meant: the nearest of the names there are, and the words of other libraries. */

/** In other libraries → here. Spelling apart from case, `_` and `-`; where several have one word, the one that is known counts. */
const foreign: Readonly<Record<string, readonly string[]>> = {
  lr: ['learningRate'],
  eta: ['learningRate'],
  initiallearningrate: ['learningRate'],
  maxlr: ['learningRate'],
  rho: ['decayRate'],
  eps: ['epsilon'],
  betas: ['beta1'],
  mu: ['momentum'],
  averagedecay: ['average'],
  useema: ['average'],
  ema: ['average'],
  emadecay: ['average', 'decay'],
  emamomentum: ['average', 'decay'],
  swa: ['average'],
  swastart: ['from'],
  swafreq: ['every'],
  wd: ['weightDecay'],
  decay: ['weightDecay', 'rate'],
  gamma: ['factor', 'rate', 'decayRate'],
  stepsize: ['every', 'learningRate'],
  minlr: ['minimum'],
  etamin: ['minimum'],
  tmax: ['length'],
  totalsteps: ['length'],
  maxsteps: ['length'],
  decaysteps: ['length', 'every'],
  warmupsteps: ['length'],
  duration: ['length'],
  tmult: ['cycleFactor'],
  batch: ['batchSize'],
  bs: ['batchSize'],
  minibatchsize: ['batchSize'],
  epoch: ['epochs'],
  nepochs: ['epochs'],
  numepochs: ['epochs'],
  maxepochs: ['epochs'],
  iterations: ['epochs', 'maxIterations'],
  validationdata: ['validation'],
  validationset: ['validation'],
  valdata: ['validation'],
  val: ['validation'],
  evalset: ['validation'],
  testsize: ['fraction'],
  randomstate: ['seed'],
  randomseed: ['seed'],
  stratified: ['stratify'],
  groups: ['groupBy'],
  nsplits: ['folds'],
  k: ['folds'],
  verbose: ['quiet'],
  silent: ['quiet'],
  log: ['quiet'],
  numthreads: ['threads'],
  workers: ['threads'],
  njobs: ['threads'],
  gradientaccumulation: ['accumulate'],
  accumulategradbatches: ['accumulate'],
  gradclip: ['clipNorm'],
  gradientclipval: ['clipNorm'],
  maxgradnorm: ['clipNorm'],
  maxnorm: ['clipNorm'],
  classweight: ['classWeights'],
  logdir: ['dir'],
  directory: ['dir'],
  outputdir: ['dir'],
  runname: ['name'],
  scheduler: ['schedule'],
  lrscheduler: ['schedule'],
  lrschedule: ['schedule'],
  criterion: ['loss'],
  lossfunction: ['loss'],
  objective: ['loss'],
  metric: ['metrics'],
  optimiser: ['optimizer'],
  solver: ['optimizer'],
  mindelta: ['minimumDelta'],
  restorebestweights: ['restoreBest'],
  cb: ['callbacks'],
  initializer: ['init'],
  kernelinitializer: ['init'],
  weightinit: ['init'],
  embeddingsinitializer: ['init'],
  biasinitializer: ['biasInit'],
  kernelregularizer: ['regularizer'],
  weightregularizer: ['regularizer'],
  activityregularizer: ['regularizer'],
  usebias: ['bias'],
  kernelconstraint: ['maxNorm'],
  inputshape: ['input'],
  inputdim: ['input'],
  inputsize: ['input'],
  output: ['outputs'],
  outputs: ['output'],
  inputs: ['input'],
  negativeslope: ['slope'],
  alpha: ['slope', 'learningRate'],
  stddev: ['deviation'],
  std: ['deviation'],
  minval: ['low'],
  maxval: ['high'],
  sep: ['delimiter'],
  separator: ['delimiter'],
  navalues: ['missingWords', 'missing'],
  usecols: ['columns'],
  label: ['target'],
  labels: ['target', 'classes'],
  classnames: ['classes'],
  windowsize: ['length'],
  lookback: ['length'],
  ahead: ['horizon'],
  step: ['stride'],
  glorot: ['xavier'],
  glorotuniform: ['xavier'],
  xavieruniform: ['xavier'],
  kaiming: ['he'],
  kaimingnormal: ['he'],
  henormal: ['he'],
  lecunnormal: ['lecun'],
  swish: ['silu'],
  mse: ['meanSquaredError'],
  mae: ['meanAbsoluteError'],
  l1loss: ['meanAbsoluteError'],
  rmse: ['rootMeanSquaredError'],
  sparsecategoricalaccuracy: ['accuracy'],
  f1score: ['f1'],
  sensitivity: ['recall'],
  rocauc: ['auc'],
  aucroc: ['auc'],
  r2score: ['r2'],
  binarycrossentropy: ['binaryCrossEntropy', 'logLoss'],
  bce: ['binaryCrossEntropy'],
  bcewithlogitsloss: ['binaryCrossEntropy'],
  ce: ['softmaxCrossEntropy'],
  crossentropy: ['softmaxCrossEntropy', 'logLoss'],
  crossentropyloss: ['softmaxCrossEntropy'],
  categoricalcrossentropy: ['softmaxCrossEntropy'],
  sparsecategoricalcrossentropy: ['softmaxCrossEntropy'],
  hinge: ['multiclassHinge'],
  acc: ['accuracy'],
  categoricalaccuracy: ['accuracy'],
  binaryaccuracy: ['accuracy'],
}

const bare = (name: string): string => name.toLowerCase().replace(/[_\-\s]/g, '')

/** The one of `known` that was probably meant, or undefined. Equal but for case and `_` comes first, then a foreign word. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = bare(name)
  const same = known.find((one) => bare(one) === wanted)
  if (same !== undefined) return same
  const translated = Object.hasOwn(foreign, wanted) ? foreign[wanted]! : []
  const translation = translated.find((one) => known.includes(one))
  if (translation !== undefined) return translation
  const longer = known.filter((one) => wanted.length >= 3 && bare(one).startsWith(wanted))
  if (longer.length === 1) return longer[0]
  // A third of the letters may be wrong, two of them at least in words that are not short.
  const most = wanted.length <= 3 ? 1 : Math.max(2, Math.floor(wanted.length / 3))
  let best: string | undefined
  let least = most + 1
  for (const one of known) {
    const distance = editDistance(wanted, bare(one), least)
    if (distance < least) [best, least] = [one, distance]
  }
  return best
}

/** `; did you mean "valLoss"?`, or nothing where no name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  return meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`
}

/** Letters to insert, take away, replace, or swap with their neighbour (Damerau 1964); `limit` where it is no less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1))
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    ;[before, last] = [last, row]
  }
  return Math.min(last[b.length]!, limit)
}
