/** The table by which relative errors are judged (CS231n, "Gradient checks"). */

export type Verdict = 'satisfied' | 'acceptable' | 'uneasy' | 'wrong' | 'undecidable'

/** From harmless to grave. */
const order: readonly Verdict[] = ['undecidable', 'satisfied', 'acceptable', 'uneasy', 'wrong']

export const worstVerdict = (verdicts: readonly Verdict[]): Verdict =>
  order[Math.max(0, ...verdicts.map((verdict) => order.indexOf(verdict)))]!

export interface Rule {
  /** Up to this relative error: satisfied, acceptable, uneasy; beyond the last: wrong. */
  readonly satisfied: number
  readonly acceptable: number
  readonly uneasy: number
}

/**
 * Above 1e-2 the gradient is probably wrong; from 1e-4 to 1e-2 one feels uneasy; below 1e-4 is acceptable for a function
 * with kinks, and too high without them, where a tenth is asked; 1e-7 is good. Errors grow on their way through layers:
 * 1e-2 may be acceptable after ten of them. So from the first layer to the tenth the bounds rise, on a logarithmic scale:
 * that of acceptable a hundredfold, that of satisfied tenfold, that of uneasy twofold.
 */
export function ruleFor(depth: number, hasKinks: boolean): Rule {
  const share = Math.min(Math.max(depth, 1) - 1, 9) / 9
  return {
    satisfied: 1e-7 * 10 ** share,
    acceptable: (hasKinks ? 1e-4 : 1e-5) * 100 ** share,
    uneasy: 1e-2 * 2 ** share,
  }
}

export function judge(relativeError: number, rule: Rule): Verdict {
  if (relativeError <= rule.satisfied) return 'satisfied'
  if (relativeError <= rule.acceptable) return 'acceptable'
  return relativeError <= rule.uneasy ? 'uneasy' : 'wrong'
}

export function describeRule(depth: number, hasKinks: boolean): string {
  const { satisfied, acceptable, uneasy } = ruleFor(depth, hasKinks)
  const bounds = [`satisfied ≤ ${short(satisfied)}`, `acceptable ≤ ${short(acceptable)}`, `uneasy ≤ ${short(uneasy)}`]
  const layers = `${depth} ${depth === 1 ? 'layer' : 'layers'}`
  return `${bounds.join(', ')} < wrong, for ${layers} ${hasKinks ? 'with kinks' : 'without kinks'}`
}

const short = (value: number): string => value.toExponential(value < 1e-6 && value !== 1e-7 ? 1 : 0)

/** |a − n| / max(|a|, |n|); 0 when both are 0. An analytic gradient that is not finite is wrong beyond measure. */
export function relativeError(analytic: number, numerical: number): number {
  if (!Number.isFinite(analytic)) return Number.POSITIVE_INFINITY
  const scale = Math.max(Math.abs(analytic), Math.abs(numerical))
  return scale === 0 ? 0 : Math.abs(analytic - numerical) / scale
}
