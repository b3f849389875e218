/** Every error Gradus throws: an `Error` with a stable `code` and one sentence. */
export class GradusError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GradusError'
    this.code = code
  }
}

/** The one sentence about a bad argument: `learningRate: expected a positive number, received -1`. */
export function invalidArgument(argument: string, expected: string, received: unknown): GradusError {
  return new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected ${expected}, received ${describe(received)}`)
}

/** A value in a few words, never longer than a line. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (Array.isArray(value)) return `an array of length ${value.length}`
  if (ArrayBuffer.isView(value)) {
    const length = 'length' in value ? ` of length ${value.length}` : ''
    return `${withArticle(value.constructor.name)}${length}`
  }
  return typeof value === 'object' ? describeObject(value) : typeof value
}

function describeObject(value: object): string {
  const maker = value.constructor?.name
  if (maker !== undefined && maker !== 'Object' && maker !== '') return `${withArticle(maker)} object`
  const keys = Object.keys(value)
  if (keys.length === 0) return 'an empty object'
  const shown = keys.slice(0, 3).map((key) => (key.length > 20 ? `${key.slice(0, 19)}…` : key))
  return `an object with ${shown.join(', ')}${keys.length > 3 ? ', …' : ''}`
}

const withArticle = (noun: string) => `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`
