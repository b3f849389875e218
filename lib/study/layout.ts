/** Names of a study's files, and what lies where. */
import { join } from 'node:path'

export const studyFiles = {
  /** What the study is: made whole, once. */
  study: 'study.json',
  /** `2.json`, …: the ranges of a stage and why. */
  stages: 'stages',
  /** `1.json`, …: how many trials, and in which space, where that has been changed. */
  plans: 'plans',
  /** A folder a trial. */
  trials: 'trials',
  /** Hard links to the best checkpoints. Their names are for people. */
  best: 'best',
  /** Claims and beats of the master, and its cache of finished trials. */
  masters: 'masters',
  /** In a trial's folder: who wants it to end, and why. */
  stop: 'stop',
} as const

/** More than any study has; a folder with a higher number is none of ours. */
const mostTrials = 1e9

export const isTrialNumber = (number: number): boolean => Number.isInteger(number) && number >= 0 && number < mostTrials

/** `00042`. */
export const folderOf = (number: number): string => String(number).padStart(5, '0')

/** The number of a trial by its folder's name; null of any other name. */
export function trialNumberOf(name: string): number | null {
  // As `folderOf` writes them: ten thousand are looked at in a row.
  const number = /^(\d{5}|[1-9]\d{5,9})$/.test(name) ? Number(name) : Number.NaN
  return number < mostTrials ? number : null
}

/** The number of a change by its file's name, `2.json`; null of any other name. No trial changes a million times. */
export function changeNumberOf(name: string): number | null {
  const number = Number(/^([1-9]\d{0,5})\.json$/.exec(name)?.[1])
  return Number.isNaN(number) ? null : number
}

export const trialPath = (study: string, number: number): string => join(study, studyFiles.trials, folderOf(number))
export const changePath = (trial: string, number: number): string => join(trial, `${number}.json`)
export const beatsPath = (folder: string, claim: number): string => join(folder, `beats.${claim}`)
export const reportsPath = (trial: string, claim: number): string => join(trial, `reports.${claim}.jsonl`)
/** The checkpoint that a trial begins with which goes on from another. */
export const initialPath = (trial: string): string => join(trial, 'initial.safetensors')
export const runPath = (trial: string, run: number): string => join(trial, `run.${run}`)
