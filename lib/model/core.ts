/** What a model is made of, and how that changes: its network, what it was compiled with, and the native program of both. */
import { plain } from '../call.js'
import { checkDevice, type DeviceName } from '../devices.js'
import { GradusError } from '../errors.js'
import type { Descriptor, NativeProgram } from '../native.js'
import type { NamePatterns } from '../optimizers/patterns.js'
import { type AskedMetric, type Compiled, type CompileOptions, checkCompileOptions, trainable } from './compile.js'
import { makeProgram, movedProgram } from './copy.js'
import { withFrozen } from './frozen.js'
import { hostOf } from './host.js'
import { checkIdle } from './idle.js'
import { type Lowered, lower, type Network } from './lower.js'

export class ModelCore {
  #network: Network
  #lowered: Lowered
  /** False where all weights will be written before they are used. */
  readonly #initialize: boolean
  #program: NativeProgram | undefined
  #compiled: Compiled | undefined
  #disposed = false

  constructor(network: Network, initialize: boolean) {
    this.#network = network
    this.#lowered = lower(network)
    this.#initialize = initialize
  }

  get network(): Network {
    return this.#network
  }

  get lowered(): Lowered {
    return this.#lowered
  }

  get compiled(): Compiled | undefined {
    return this.#compiled
  }

  get isDisposed(): boolean {
    return this.#disposed
  }

  /** @throws GRADUS_NOT_COMPILED, for the sake of `what` */
  needCompiled(what: string): Compiled {
    if (this.#compiled) return this.#compiled
    throw new GradusError('GRADUS_NOT_COMPILED', `${what}: call compile({ loss, optimizer }) first`)
  }

  /** The network as plain data: what the native program is made from. A copy. */
  get descriptor(): Descriptor {
    return this.#compiled ? trainable(this.#lowered.descriptor, this.#compiled) : plain(this.#lowered.descriptor)
  }

  /** Made when it is first needed. @throws GRADUS_DISPOSED */
  get program(): NativeProgram {
    if (this.#disposed) throw new GradusError('GRADUS_DISPOSED', 'the model has been disposed')
    this.#program ??= this.#make()
    return this.#program
  }

  /** @throws GRADUS_BUSY unless the program may be replaced; GRADUS_DISPOSED */
  checkIdle(): void {
    checkIdle(this.#disposed ? this.program : this.#program)
  }

  /** A program with the weights that there are: those of the one before, or those that layers bring along. */
  #make(descriptor = this.descriptor, compiled = this.#compiled): NativeProgram {
    const [host, device] = [hostOf(this.#lowered, compiled), compiled?.device ?? 'cpu']
    const first = { initialize: this.#initialize, weights: this.#lowered.weights }
    return makeProgram(descriptor, host, device, this.#program ?? first)
  }

  /** Keeps the weights; the optimizer starts anew. */
  compile<const Asked extends readonly AskedMetric[]>(options: CompileOptions<Asked>): void {
    const compiled = checkCompileOptions(options, this.#network, this.#compiled !== undefined)
    this.checkIdle()
    this.#program = this.#make(trainable(this.#lowered.descriptor, compiled), compiled)
    this.#compiled = compiled
  }

  /** With all that the optimizer keeps. */
  async moveTo(device: DeviceName): Promise<void> {
    this.checkIdle()
    const [before, to] = [this.program, checkDevice('device', device)]
    this.#program = await movedProgram(before, this.descriptor, hostOf(this.#lowered, this.#compiled), to)
    if (this.#compiled) this.#compiled = { ...this.#compiled, device }
    before.dispose()
  }

  /** Other names among the frozen: `change` is called with each that the patterns name. */
  setFrozen(names: NamePatterns, change: (frozen: Set<string>, name: string) => void): void {
    this.checkIdle()
    this.#network = withFrozen(this.#network, this.#lowered, names, change)
    this.#lowered = lower(this.#network)
    if (this.#program) this.#program = this.#make()
  }

  dispose(): void {
    this.#disposed = true
    this.#program?.dispose()
    this.#program = undefined
  }
}
