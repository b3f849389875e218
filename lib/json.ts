/** Texts of unknown origin: a run directory may have been written by anything. */
import { badFile } from './file-errors.js'

/** @throws `GRADUS_BAD_FILE` */
export function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown
  try {
    // A reviver costs ten times the parsing: it looks where the key may be, in whatever characters.
    value = /__proto__|\\u00/.test(text) ? JSON.parse(text, refuseProto) : JSON.parse(text)
  } catch (error) {
    throw badFile(where, (error as Error).message)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw badFile(where, 'expected an object')
}

/** A key that changes what an object is, once somebody assigns it. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('the key __proto__ is refused')
  return value
}

/** Numbers that JSON does not know, infinities and NaN, become null. */
export const writeLine = (value: object): string => `${JSON.stringify(value)}\n`
