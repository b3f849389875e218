/** Waiting that ends when a signal fires. */

/**
 * The promise's value, or null when the signal fires before there is one: the promise is then the caller's no more, nor is
 * its error.
 */
export async function firstOf<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<{ value: T } | null> {
  if (!signal) return { value: await promise }
  const valued = promise.then((value) => ({ value }))
  let onAbort = () => {}
  const aborted = new Promise<null>((resolve) => {
    onAbort = () => resolve(null)
    if (signal.aborted) setImmediate(onAbort)
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([valued, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The promise's value, or the signal's reason thrown when it fires before there is one. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const first = await firstOf(promise, signal)
  if (first) return first.value
  throw signal?.reason
}

/** Whether the promise settles before so many milliseconds have passed; throws its error if that is how. */
export async function settlesWithin(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false)
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
