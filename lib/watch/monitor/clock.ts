/** What a recorder tells the time by; tests give it one of their own. */
export interface Clock {
  /** Milliseconds from some moment on, which never go back. */
  now(): number
  /** Milliseconds since 1970. */
  date(): number
}

export const systemClock: Clock = { now: () => performance.now(), date: () => Date.now() }
