import './extend.js'

export { type Monitor, monitor } from './monitor/monitor.js'
export type { MonitorOptions } from './monitor/options.js'
export type { Recording } from './recording/index.js'
export * from './tensorboard/index.js'
