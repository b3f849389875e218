/** The messages of an event file. Loaded when there is one to write: it needs `@bufbuild/protobuf`. */
import { create, toBinary } from '@bufbuild/protobuf'
import { EventSchema } from './event_pb.js'
import type { Point } from './point.js'

export const encodeVersion = (): Uint8Array =>
  toBinary(
    EventSchema,
    create(EventSchema, { wallTime: Date.now() / 1000, what: { case: 'fileVersion', value: 'brain.Event:2' } }),
  )

export function encodePoint({ step, scalars, histograms = {} }: Point): Uint8Array {
  const value = [
    ...Object.entries(scalars).map(([tag, value]) => ({ tag, value: { case: 'simpleValue' as const, value } })),
    ...Object.entries(histograms).map(([tag, value]) => ({ tag, value: { case: 'histo' as const, value } })),
  ]
  const what = { case: 'summary' as const, value: { value } }
  return toBinary(EventSchema, create(EventSchema, { wallTime: Date.now() / 1000, step: BigInt(step), what }))
}
