/** Callbacks of a model's `fit`: training knows its models by what it needs of them alone. */
import type { Callback as AnyCallback } from '../train/callback.js'
import type { AnyValues } from '../train/history.js'
import type { FitOptions as AnyFitOptions } from '../train/options.js'
import type { Model } from './model.js'

/**
 * An object told of a run's events. Each function may be async: the run waits for it. One that throws ends the run with
 * its error. An object can be used for several runs, one after the other. `Values`: what the model's metrics give.
 */
export interface Callback<Values extends object = AnyValues> extends AnyCallback<Values, Model<Values>> {}

/** What `fit` can be told. */
export interface FitOptions<Values extends object = AnyValues> extends AnyFitOptions<Values, Model<Values>> {}
