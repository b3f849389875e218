import { percent, short } from '../../../words.js'
import { median, part } from '../curve.js'
import type { Rule } from '../rule.js'

/** Noise of the loss from batch to batch, as a share of the loss of an untrained model and of the loss itself. */
const [mostOfBase, mostOfLevel] = [0.1, 0.3]
/** What a larger batch is to bring it to. */
const wanted = 0.05

/** The loss jumps from batch to batch more than the batch is worth. */
export const lossTooNoisy: Rule = {
  name: 'lossTooNoisy',
  explains: ['plateau'],
  find(picture) {
    const { steps, info } = picture.recording
    const noise = median(part(steps.lossNoise, 0.5, 1))
    const { ceiling: base, level } = picture
    if (!picture.hasEnoughSteps || !(noise > mostOfBase * base) || !(noise > mostOfLevel * level)) return null
    const batch = info.options.batchSize * info.options.accumulate
    const examples = info.examples ?? Number.POSITIVE_INFINITY
    if (batch >= examples) return null
    // The noise of a mean falls by the root of how many it is of.
    const larger = 2 ** Math.ceil(Math.log2(batch * (noise / (wanted * base)) ** 2))
    return {
      severity: 'warning',
      message: `The loss jumps by ${short(noise)} from one batch of ${batch} to the next, at a level of ${short(level)}: ${percent(noise / base)} of the loss of an untrained model`,
      evidence: { noise, level, base, batchSize: batch },
      advice: `take batches of about ${Math.min(larger, examples)} (or accumulate), or a lower learning rate if they must be small`,
      since: picture.atBucket(Math.floor(steps.step.length / 2)),
    }
  },
}
