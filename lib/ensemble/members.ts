/** What the members of an ensemble must have in common, and what follows of it. */
import { type Conventions, sameClasses } from '../data/conventions.js'
import type { InputMeaning } from '../data/meaning.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { formatShape, sameShape } from '../layers/shape.js'
import { Model } from '../model/model.js'

/** What is asked of a model here, whatever its metrics. */
export type Member = Pick<
  Model,
  'conventions' | 'descriptor' | 'dtype' | 'inputs' | 'outputShape' | 'parts' | 'program'
>

/** A list of models that agree in what they take and give. */
export function checkMembers<Values extends object>(members: unknown): readonly Model<Values>[] {
  if (!Array.isArray(members) || members.length === 0) {
    throw invalidArgument('members', 'a list of one model or more', members)
  }
  for (const [i, member] of members.entries()) {
    if (!(member instanceof Model)) throw invalidArgument(nameOf(i), 'a model', member)
    const first = members.indexOf(member)
    if (first === i) continue
    const message = `${nameOf(i)}: expected each model once, received that of ${nameOf(first)} again; weights say what counts more`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  checkAlike(members)
  return [...members]
}

const nameOf = (member: number): string => `members[${member}]`

/** @throws GRADUS_SHAPE_MISMATCH or GRADUS_INVALID_ARGUMENT naming the first member that differs from members[0], and in what */
export function checkAlike(members: readonly Member[]): void {
  const [first, ...others] = members as [Member, ...Member[]]
  for (const [i, member] of others.entries()) {
    const difference = differenceOf(first, member)
    if (!difference) continue
    const [code, what, expected, received] = difference
    throw new GradusError(code, `${nameOf(i + 1)}: expected ${what} ${expected} as members[0], received ${received}`)
  }
}

type Difference = [
  'GRADUS_SHAPE_MISMATCH' | 'GRADUS_INVALID_ARGUMENT',
  what: string,
  expected: string,
  received: string,
]

function differenceOf(first: Member, other: Member): Difference | undefined {
  if (first.dtype !== other.dtype) return ['GRADUS_INVALID_ARGUMENT', 'the dtype', first.dtype, other.dtype]
  const [inputs, otherInputs] = [first, other].map((model) => model.inputs.map(describeInput(model)).join(', '))
  if (inputs !== otherInputs) return ['GRADUS_SHAPE_MISMATCH', 'the inputs', inputs!, otherInputs!]
  if (!sameShape(first.outputShape, other.outputShape)) {
    const [shape, otherShape] = [formatShape(first.outputShape), formatShape(other.outputShape)]
    return ['GRADUS_SHAPE_MISMATCH', 'the output shape', shape, otherShape]
  }
  const [loss, otherLoss] = [describeLoss(first), describeLoss(other)]
  return loss === otherLoss ? undefined : ['GRADUS_INVALID_ARGUMENT', 'a model', loss, otherLoss]
}

/** A single input may have any name. */
const describeInput =
  ({ inputs }: Member) =>
  ({ name, shape, kind, vocabulary }: Member['inputs'][number]): string => {
    const ofWhat = kind === 'index' ? ` of numbers below ${vocabulary}` : ''
    return `${inputs.length > 1 ? `${name} ` : ''}${formatShape(shape)}${ofWhat}`
  }

function describeLoss(model: Member): string {
  const { compiled } = model.parts()
  if (!compiled) return 'that is not compiled'
  const { kind, call, custom } = compiled.loss
  return `compiled with ${custom?.name ?? (kind === 'custom' ? kind : String(call[0]))}`
}

/** What the data mean to all members: what one has not learnt another tells. */
export function conventionsOf(members: readonly Member[]): Conventions {
  const [first, ...others] = members as [Member, ...Member[]]
  const together: { -readonly [Key in keyof Conventions]: Conventions[Key] } = { ...first.conventions }
  for (const [i, { conventions, inputs }] of others.entries()) {
    together.classes = commonClasses(together.classes, conventions.classes, nameOf(i + 1))
    if (!conventions.inputs || conventions.inputs === together.inputs) continue
    const meanings: Record<string, InputMeaning> = { ...together.inputs }
    for (const [number, { name }] of first.inputs.entries()) {
      const meaning = conventions.inputs[inputs[number]!.name]
      if (meaning) meanings[name] = commonMeaning(meanings[name], meaning, nameOf(i + 1))
    }
    together.inputs = meanings
  }
  return together
}

function commonClasses(
  classes: readonly string[] | undefined,
  others: readonly string[] | undefined,
  member: string,
): readonly string[] | undefined {
  if (!classes || !others || classes === others || sameClasses(classes, others)) return classes ?? others
  const isOrder = classes.length === others.length && classes.every((name) => others.includes(name))
  const expected = isOrder ? 'the classes numbered as those of the members before' : 'the classes of the members before'
  const at = others.findIndex((name, number) => name !== classes[number])
  const number = at < 0 ? others.length : at
  const shown = (names: readonly string[]) => (names[number] === undefined ? 'missing' : describe(names[number]))
  const message = `${member}: expected ${expected}, where class ${number} is ${shown(classes)}, received one where it is ${shown(others)}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** Numbers may have lain in somewhat other ranges: the members need not have seen the same rows. */
function commonMeaning(meaning: InputMeaning | undefined, other: InputMeaning, member: string): InputMeaning {
  if (!meaning) return other
  if (meaning.kind === 'numbers' && other.kind === 'numbers') {
    const [low, high] = [Math.min(meaning.low, other.low), Math.max(meaning.high, other.high)]
    return { kind: 'numbers', low, high, isWhole: meaning.isWhole && other.isWhole }
  }
  if (meaning.kind === 'bytes' && other.kind === 'bytes') {
    if (meaning.scale === other.scale && meaning.offset === other.offset) return meaning
  }
  const [expected, received] = [meaning, other].map((one) =>
    one.kind === 'bytes' ? `bytes v that mean v · ${one.scale} + ${one.offset}` : 'numbers as they are',
  )
  const message = `${member}: expected a model trained on ${expected} as the members before, received one trained on ${received}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** The programs of the members. @throws GRADUS_DISPOSED naming the member */
export const programsOf = (members: readonly Member[]): Member['program'][] =>
  members.map((member, i) => {
    try {
      return member.program
    } catch (error) {
      if (!(error instanceof GradusError)) throw error
      throw new GradusError(error.code, `${nameOf(i)}: ${error.message}`, { cause: error })
    }
  })

/** @throws GRADUS_INVALID_ARGUMENT naming the first member that computes elsewhere than members[0] */
export function checkOneDevice(programs: readonly Member['program'][]): void {
  const [first, ...others] = programs as [Member['program'], ...Member['program'][]]
  for (const [i, { device }] of others.entries()) {
    if (device === first.device) continue
    const message = `${nameOf(i + 1)}: expected the device ${first.device} as members[0], received ${device}; to() brings a model elsewhere`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
}
