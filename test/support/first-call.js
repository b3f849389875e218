/**
 * Resolves in the turn of the event loop in which the program's first call of these begins: it is busy then, however soon
 * the call ends.
 */
export const firstCall = (program) =>
  new Promise((resolve) => {
    for (const name of ['train', 'predict', 'evaluate']) {
      const call = program[name].bind(program)
      program[name] = (options) => {
        const promise = call(options)
        resolve()
        return promise
      }
    }
  })
