/**
 * SIGINT and SIGTERM while checkpoints are made: the step ends, the checkpoint is written, and then the signal takes its way
 * as if nobody had listened, so that shells and schedulers see it. A second one does so at once.
 */
import { isMainThread } from 'node:worker_threads'

/** Who makes checkpoints now. */
export interface Interrupted {
  /** The program ends when the checkpoint is written. */
  interrupt(signal: NodeJS.Signals): void
  /** The program has listeners of its own: a checkpoint alone. */
  ask(): void
}

const signals = ['SIGINT', 'SIGTERM'] as const
const watching = new Set<Interrupted>()
const listeners = new Map<NodeJS.Signals, () => void>()
let raised: NodeJS.Signals | null = null

/** Listens until {@link unwatch}. Worker threads hear no signals. */
export function watch(one: Interrupted): void {
  if (!isMainThread) return
  watching.add(one)
  for (const signal of signals) if (!listeners.has(signal)) listen(signal)
}

/** When its checkpoint is written. After the last one, a signal that came goes on its way. */
export function unwatch(one: Interrupted): void {
  if (!watching.delete(one) || watching.size > 0) return
  for (const [signal, listener] of listeners) process.off(signal, listener)
  listeners.clear()
  if (raised === null) return
  const signal = raised
  raised = null
  process.kill(process.pid, signal)
}

function listen(signal: NodeJS.Signals): void {
  const listener = () => {
    if (process.listenerCount(signal) > 1) {
      for (const one of watching) one.ask()
      return
    }
    // The next one finds nobody: the system then ends the process, whatever its threads are at.
    process.off(signal, listener)
    listeners.delete(signal)
    raised ??= signal
    for (const one of watching) one.interrupt(signal)
  }
  listeners.set(signal, listener)
  process.on(signal, listener)
}
