// What may be thrown: a GradusError with a code, what the fuzz itself threw, and V8's own refusals.
import { GradusError } from '../../dist/errors.js'

export const planned = [new Error('planned'), undefined, null, 'planned', 7, { planned: true }]

const refusals = /Illegal invocation|on proxy|proxy that has been revoked|is not a constructor|read only property/

/** What is wrong with a thrown value; null if nothing is. */
export function wrongWith(thrown) {
  if (planned.some((value) => Object.is(value, thrown))) return null
  if (thrown instanceof GradusError) {
    const isCoded = /^GRADUS_[A-Z_]+$/.test(thrown.code) && thrown.code !== 'GRADUS_INTERNAL'
    return isCoded && thrown.message !== '' ? null : `${thrown.code}: ${thrown.message}`
  }
  if (thrown instanceof TypeError && refusals.test(thrown.message)) return null
  try {
    return `an error without a code: ${thrown?.stack ?? String(thrown)}`
  } catch {
    return 'an error without a code that cannot be shown'
  }
}

/** What a piece of work gives, or undefined if it may throw what it throws. Throws a Finding else. */
export function attempt(work, what) {
  try {
    return work()
  } catch (thrown) {
    check(thrown, what)
  }
}

export async function settled(promise, what) {
  try {
    return await promise
  } catch (thrown) {
    check(thrown, what)
  }
}

export class Finding extends Error {}

function check(thrown, what) {
  if (thrown instanceof Finding) throw thrown
  const wrong = wrongWith(thrown)
  if (wrong) throw new Finding(`${what}: ${wrong}`)
}
