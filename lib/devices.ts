/** Where models compute: the processor, or an NVIDIA GPU. */
import { existsSync } from 'node:fs'
import { GradusError, invalidArgument } from './errors.js'
import { cudaLibrary, native } from './native.js'

/** The processor, the first GPU, or one by its number. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`

/** A device that {@link devices} lists. */
export interface Device {
  /** As `compile` and `to` take it: `'cuda:0'`. */
  readonly device: DeviceName
  /** Of the card: `'NVIDIA H100 80GB HBM3'`. Empty where there is none. */
  readonly name: string
  /** Bytes, in all and free; 0 where they are not known. */
  readonly memory: number
  readonly free: number
  /** Of a card, major and minor: `'9.0'`. */
  readonly capability?: string
  /** Its driver's release, where that is known. */
  readonly driver?: string
  /** Why it cannot be used, in a sentence; undefined: it can. */
  readonly reason?: string
}

/**
 * The processor, and the GPUs that are visible. What cannot be used has a `reason`; so has `'cuda'` where there is no GPU at
 * all, no driver or no library for them. No context is made on any card.
 *
 * @example for (const { device, name, reason } of devices()) console.log(device, name, reason ?? 'can be used')
 */
export function devices(): Device[] {
  const processor: Device = { device: 'cpu', name: native.isa, memory: 0, free: 0 }
  const missing = missingLibrary()
  if (missing) return [processor, { device: 'cuda', name: '', memory: 0, free: 0, reason: missing }]
  const cards = native.devices(cudaLibrary()).map(
    ({ capability, driver, reason, device, ...card }): Device => ({
      device: device as DeviceName,
      ...card,
      ...(capability && { capability }),
      ...(driver && { driver }),
      ...(reason && { reason }),
    }),
  )
  return [processor, ...cards]
}

/** `GRADUS_CUDA_LIBRARY` or the package's own; why there is none, or undefined. */
function missingLibrary(): string | undefined {
  const machine = `${process.platform}-${process.arch}`
  if (existsSync(cudaLibrary())) return undefined
  return machine === 'linux-x64' || process.env.GRADUS_CUDA_LIBRARY
    ? `there is no CUDA library at ${cudaLibrary()}`
    : `there is no CUDA library for ${machine}; there is one for linux-x64`
}

export function checkDevice(argument: string, value: unknown): DeviceName {
  if (typeof value === 'string' && /^(cpu|cuda(:\d{1,4})?)$/.test(value)) return value as DeviceName
  throw invalidArgument(argument, '"cpu", "cuda" or a card as "cuda:1"', value)
}

/** What was asked for, else what `GRADUS_DEVICE` says, else the processor. */
export function chosenDevice(asked: DeviceName | undefined): DeviceName {
  if (asked !== undefined) return asked
  const named = process.env.GRADUS_DEVICE
  return named ? checkDevice('GRADUS_DEVICE', named) : 'cpu'
}

/**
 * What `GRADUS_DEVICE` is to say to the worker of this number, from 1 on: where it says `cuda`, and not which card, they take the
 * cards that can be used in turns. Undefined: as it is.
 */
export function deviceOfWorker(
  number: number,
  cards: () => readonly Device[] = () => devices().slice(1),
): string | undefined {
  if (process.env.GRADUS_DEVICE !== 'cuda') return undefined
  const usable = cards().filter(({ reason }) => reason === undefined)
  return usable[(number - 1) % usable.length]?.device
}

/**
 * The arguments of a program that say where it computes.
 *
 * @throws GRADUS_NO_DEVICE where there is no library for GPUs; what is wrong with a card the program says
 */
export function placeOf(device: DeviceName): [device?: string, library?: string] {
  if (device === 'cpu') return []
  const missing = missingLibrary()
  if (missing) throw new GradusError('GRADUS_NO_DEVICE', `device: ${device} cannot be used: ${missing}`)
  return [device, cudaLibrary()]
}
