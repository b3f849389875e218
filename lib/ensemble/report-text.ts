/** The report as text: a line that says it all, the curve, a row for each member. */
import type { EnsembleReport, PredictorReport } from './ensemble-report.js'

/** More columns are not read. */
const mostCounts = 10

export function reportText(report: EnsembleReport): string {
  const { curve, measure, calibrationRows } = report
  const number = formatOf(report)
  const counts = shownCounts(curve.length)
  const byCount = aligned([
    ['count', ...counts.map(String)],
    [nameOf(measure), ...counts.map((count) => number(curve[count - 1]![measure]!))],
  ])
  const parts = [headline(report, number), ...(curve.length > 1 ? byCount : []), '', ...members(report, number)]
  if (calibrationRows > 0) parts.push('', ...temperature(report))
  return parts.join('\n')
}

const nameOf = (measure: EnsembleReport['measure']) => (measure === 'accuracy' ? 'accuracy' : 'RMSE')

/** Shares with four places; quantities with as many as four digits of the least error take. */
function formatOf({ measure, members, ensemble }: EnsembleReport): (value: number) => string {
  const least = Math.min(...[ensemble, ...members].map((one) => one[measure]!))
  const places =
    measure === 'accuracy' || !(least > 0) ? 4 : Math.min(12, Math.max(0, 3 - Math.floor(Math.log10(least))))
  return (value) => value.toFixed(places)
}

function headline(
  { members, ensemble, best, mean, measure }: EnsembleReport,
  number: (value: number) => string,
): string {
  const own = `test ${nameOf(measure)} ${number(ensemble[measure]!)}`
  const others = `members' mean ${number(mean.value)} ± ${number(mean.deviation)}`
  return [`ensemble of ${members.length}`, own, `best member ${number(best[measure]!)}`, others].join(' · ')
}

/** All of them, or evenly chosen ones with the first and the last. */
function shownCounts(most: number): number[] {
  const shown = Math.min(most, mostCounts)
  return Array.from({ length: shown }, (_, i) => (shown === 1 ? 1 : 1 + Math.round((i * (most - 1)) / (shown - 1))))
}

function members(report: EnsembleReport, number: (value: number) => string): string[] {
  const { measure, ensemble } = report
  const hasLogs = ensemble.logLoss !== undefined
  const figures = (of: PredictorReport) => [
    number(of[measure]!),
    ...(hasLogs ? [of.logLoss!.toFixed(4), of.calibrationError!.toFixed(4)] : []),
  ]
  const difference = (value: number) => (measure === 'accuracy' ? `${(100 * value).toFixed(1)} %` : number(value))
  const [heading, ...rows] = aligned([
    ['member', nameOf(measure), ...(hasLogs ? ['NLL', 'ECE'] : []), 'differs from the others'],
    ...report.members.map((member) => [member.name, ...figures(member), difference(member.disagreement)]),
    ['ensemble', ...figures(ensemble)],
  ])
  return [heading!, '─'.repeat(heading!.length), ...rows]
}

function temperature({ ensemble, rows, calibrationRows }: EnsembleReport): string[] {
  const { temperature, bound, logLoss, calibrationError } = ensemble.calibrated!
  const whole = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
  const remark = bound === null ? '' : `, the ${bound} that is tried: these examples do not tell one`
  const change = (before: number, after: number) => `${before.toFixed(4)} → ${after.toFixed(4)}`
  return [
    `temperature ${temperature.toPrecision(3)}${remark}: NLL ${change(ensemble.logLoss!, logLoss)}, ` +
      `ECE ${change(ensemble.calibrationError!, calibrationError)}`,
    `on ${whole(rows)} examples; the temperature was fitted on ${whole(calibrationRows)} others`,
  ]
}

/** The first column to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  )
}
