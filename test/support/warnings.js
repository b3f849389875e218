/** The warnings of this process while `work` is done. */
export async function warningsOf(work) {
  const warnings = []
  const listener = (warning) => warnings.push(warning)
  process.on('warning', listener)
  try {
    await work()
    // They are told in a turn of their own.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listener)
  }
  return warnings
}
