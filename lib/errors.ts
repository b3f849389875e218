/** What went wrong, for programs. */
export type ErrorCode = `GRADUS_${
  | 'ARTIFACT'
  | 'BAD_DESCRIPTOR'
  | 'BAD_FILE'
  | 'BUSY'
  | 'DEVICE_BUSY'
  | 'DEVICE_LOST'
  | 'DISPOSED'
  | 'INTERNAL'
  | 'INVALID_ARGUMENT'
  | 'INVALID_DATA'
  | 'MISSING_BINARY'
  | 'MISSING_FUNCTIONS'
  | 'MISSING_PACKAGE'
  | 'NON_FINITE'
  | 'NOT_COMPILED'
  | 'NOT_DETERMINISTIC'
  | 'NO_DEVICE'
  | 'NO_QUEUE'
  | 'NO_SECOND_DERIVATIVE'
  | 'OUT_OF_MEMORY'
  | 'OUT_OF_THREADS'
  | 'REFUSED'
  | 'SANITY_CHECK'
  | 'SEARCH_FAILED'
  | 'SHAPE_MISMATCH'
  | 'STALE_LEASE'
  | 'STALE_RUN'
  | 'TOO_LARGE'
  | 'WORSE_SOUP'
  | 'WRONG_GRADIENT'}`

interface ErrorDetails extends ErrorOptions {
  argument?: string | undefined
  expected?: string | undefined
}

/** Every error Gradus throws: an `Error` with a stable `code` and one sentence. */
export class GradusError extends Error {
  readonly code: ErrorCode
  /** Of an argument that cannot be: its name, `validation` or `y[3]`. */
  readonly argument?: string
  /** And what it should be, in words. */
  readonly expected?: string

  constructor(code: ErrorCode, message: string, { argument, expected, ...options }: ErrorDetails = {}) {
    super(message, options)
    this.name = 'GradusError'
    this.code = code
    // Only where there is one, so that nothing empty is printed with the error.
    if (argument !== undefined) this.argument = argument
    if (expected !== undefined) this.expected = expected
  }
}

/** The one sentence about a bad argument: `learningRate: expected a positive number, received -1`. */
export function invalidArgument(argument: string, expected: string, received: unknown): GradusError {
  const message = `${argument}: expected ${expected}, received ${describe(received)}`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument, expected })
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
