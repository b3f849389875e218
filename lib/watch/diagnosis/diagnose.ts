/** What is wrong with a run, in words. */
import type { Recording } from '../recording/recording.js'
import type { Finding, Observation, Severity } from './finding.js'
import { Picture } from './picture.js'
import type { Rule } from './rule.js'
import { badInitialization } from './rules/bad-initialization.js'
import { badSplit } from './rules/bad-split.js'
import { classCollapse } from './rules/class-collapse.js'
import { deadRelus } from './rules/dead-relus.js'
import { gradients } from './rules/gradients.js'
import { learningRateMuchTooHigh } from './rules/learning-rate-much-too-high.js'
import { learningRateTooHigh } from './rules/learning-rate-too-high.js'
import { learningRateTooLow } from './rules/learning-rate-too-low.js'
import { lossTooNoisy } from './rules/loss-too-noisy.js'
import { nearStabilityLimit } from './rules/near-stability-limit.js'
import { nonFinite } from './rules/non-finite.js'
import { overfitting } from './rules/overfitting.js'
import { plateau } from './rules/plateau.js'
import { saturatedUnits } from './rules/saturated-units.js'
import { slowLayer } from './rules/slow-layer.js'
import { underfitting } from './rules/underfitting.js'
import { unscaledTargets } from './rules/unscaled-targets.js'
import { validationEasier } from './rules/validation-easier.js'
import { healthy, tooShort } from './summary.js'

export type { Finding, Severity, Since } from './finding.js'

/** Causes before what may come of them: so are findings of one severity ordered. */
export const rules: readonly Rule[] = [
  ...[nonFinite, badSplit, unscaledTargets],
  ...[learningRateMuchTooHigh, badInitialization, nearStabilityLimit, learningRateTooHigh],
  ...[deadRelus, saturatedUnits, gradients, learningRateTooLow, slowLayer, classCollapse],
  ...[lossTooNoisy, validationEasier, overfitting, underfitting, plateau],
]

const severities: readonly Severity[] = ['severe', 'warning', 'info']

/**
 * Reads the numbers of a run as a practitioner would (CS231n, "Babysitting the learning process") and says what is wrong,
 * how one sees it and what to do: the most severe first, causes before what comes of them. When nothing is wrong, the one
 * finding is `healthy`, or `tooShort` when there is too little to judge.
 */
export function diagnose(recording: Recording): Finding[] {
  const picture = new Picture(recording)
  const found = rules.flatMap((rule) => {
    const observation = rule.find(picture)
    return observation ? [{ rule, observation }] : []
  })
  const findings = withoutConsequences(found).map(({ rule, observation }) => named(rule.name, observation))
  if (!findings.length) {
    return [picture.hasEnoughSteps ? named('healthy', healthy(picture)) : named('tooShort', tooShort(picture))]
  }
  return findings.sort((a, b) => rank(a) - rank(b))
}

const rank = ({ severity }: { severity: Severity }) => severities.indexOf(severity)

interface Found {
  rule: Rule
  observation: Observation
}

/** A cause stands for what comes of it, unless that is worse than the cause itself looks. */
function withoutConsequences(found: readonly Found[]): Found[] {
  const left: Found[] = []
  for (const one of found) {
    const isExplained = left.some(
      ({ rule, observation }) => rule.explains.includes(one.rule.name) && rank(observation) <= rank(one.observation),
    )
    if (!isExplained) left.push(one)
  }
  return left
}

function named(rule: string, observation: Observation): Finding {
  const page = `docs/diagnosis/${rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`
  return { rule, ...observation, page }
}
