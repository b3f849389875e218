import { Model } from '../model/model.js'
import { Ensemble } from './ensemble.js'

export const isPredictor = (value: unknown): value is Model | Ensemble =>
  value instanceof Model || value instanceof Ensemble
