/** What is said once: who assigns to it later is told so, where JavaScript would lose the value without a word. */
import { GradusError } from './errors.js'

/** The same object, which cannot be changed in place; the advice tells what to do instead. */
export function settled<Made extends object>(made: Made, advice: string): Made {
  const refuse = (_: Made, name: string | symbol): never => {
    throw cannotChange(String(name), advice)
  }
  return new Proxy(made, { set: refuse, defineProperty: refuse, deleteProperty: refuse })
}

/** Has assignments to these properties of a class's objects refused; whoever reads them gets what there was before. */
export function refuseAssignment(prototype: object, names: readonly string[], advice: string): void {
  for (const name of names) {
    Object.defineProperty(prototype, name, {
      ...Object.getOwnPropertyDescriptor(prototype, name),
      configurable: true,
      set() {
        throw cannotChange(name, advice)
      },
    })
  }
}

const cannotChange = (name: string, advice: string) =>
  new GradusError('GRADUS_INVALID_ARGUMENT', `${name}: cannot be changed in place; ${advice}`)
