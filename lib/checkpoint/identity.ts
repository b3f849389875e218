/** What decides the bits of a run, so that one that goes on can be told from another one. */
import { plain } from '../call.js'
import { GradusError } from '../errors.js'
import { defineCompiled } from '../model/compile.js'
import { define } from '../model/definition.js'
import type { Model } from '../model/model.js'
import type { NativeDataset } from '../native.js'
import type { Schedule } from '../schedules/schedule.js'
import { defaultBatchSize } from '../train/calls.js'
import type { Settings } from '../train/settings.js'
import type { Source } from '../train/source.js'

/** Plain data: what JSON says of it comes back equal. */
export type Identity = Readonly<Record<string, unknown>>

/** Of the run that `fit` was told to make, once its data are open. */
export async function identify(
  model: Model,
  settings: Settings,
  training: Source,
  validation: Source | null,
): Promise<Identity> {
  const { network, compiled } = model.parts()
  const { batchSize = training.rows === null ? null : defaultBatchSize, classWeights, givenClassWeights } = settings
  return plain({
    model: define(network),
    ...(compiled && defineCompiled(compiled)),
    batchSize,
    accumulate: settings.accumulate,
    shuffle: settings.shuffle,
    // Where there is none nothing is said, as in checkpoints from before there was such an option.
    augment: settings.augment?.length ? settings.augment.map(({ call }) => call) : undefined,
    clipNorm: settings.clipNorm ?? null,
    clipValue: settings.clipValue ?? null,
    // Of a stream they are known in numbers only when its first piece is there.
    classWeights: classWeights ? Array.from(classWeights) : (givenClassWeights ?? null),
    schedule: kindOf(settings.schedule),
    momentumSchedule: kindOf(settings.momentumSchedule),
    weightDecaySchedule: kindOf(settings.weightDecaySchedule),
    data: await fingerprintOf(training),
    validation: validation && (await fingerprintOf(validation)),
  })
}

const kindOf = (schedule: Schedule | undefined): string | null => (schedule ? (schedule.kind ?? 'a function') : null)

/** A stream has none: it is looked at only as it comes. */
async function fingerprintOf(source: Source): Promise<string> {
  if (source.rows === null) return 'a stream'
  const pieces: NativeDataset[] = []
  for await (const piece of source.pieces()) pieces.push(piece)
  return `${source.rows} examples with the fingerprint ${await pieces[0]!.fingerprint()}`
}

/** More than these are not read. */
const mostListed = 8

/** @throws GRADUS_INVALID_ARGUMENT with every difference, and both values of each */
export function checkSame(path: string, before: Identity, now: Identity): void {
  const found = differences('', before, now)
  if (found.length === 0) return
  const lines = found.slice(0, mostListed)
  if (found.length > mostListed) lines.push(`and ${found.length - mostListed} more`)
  const what = `resume: ${path} is of a run that differs from this one in what decides its numbers`
  const advice = 'give the same again, or another dir for a new run'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${what}; ${advice}:\n  ${lines.join('\n  ')}`)
}

function differences(place: string, before: unknown, now: unknown): string[] {
  if (Object.is(before, now)) return []
  if (!isObject(before) || !isObject(now)) return [`${place}: ${shown(before)} before, ${shown(now)} now`]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  return keys.flatMap((key) => differences(placeOf(place, key), before[key], now[key]))
}

const placeOf = (place: string, key: string): string =>
  /^\d+$/.test(key) ? `${place}[${key}]` : place === '' ? key : `${place}.${key}`

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
