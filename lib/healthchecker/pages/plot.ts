import type { CheckRecord, RollUp } from '../../../types/healthchecker.js'
import { states } from '../../core/state.js'

const width = 600
const height = 120
/** What the strip has room for. */
const mostBars = 60
/** Room above the highest point, so that its line is not cut. */
const margin = 6

/** A point of a plot: how long something took, in milliseconds; nothing where it failed. */
export type Point = number | undefined

/** The last checks as bars, the newest on the right; also as words, for who cannot see them. */
export function strip (checks: readonly CheckRecord[]): string {
  const last = checks.slice(-mostBars)
  const step = width / mostBars
  const bars = Array.from({ length: mostBars }, (_, index) => {
    const check = last[index - (mostBars - last.length)]
    // A failure is taller too: colour is not all that tells them apart.
    const tall = check?.result === 'RED' ? 40 : check === undefined ? 8 : 28
    return `<rect class="${check?.result ?? 'none'}" x="${round(index * step)}" y="${40 - tall}" width="${round(step - 2)}" height="${tall}"/>`
  }).join('')
  return `<svg class="strip" viewBox="0 0 ${width} 40" preserveAspectRatio="none" role="img" aria-label="The last ${last.length} checks: ${words(last)}">${bars}</svg>`
}

function words (checks: readonly CheckRecord[]): string {
  const counts = [...states].reverse().map((state) => ({ state, count: checks.filter(({ result }) => result === state).length })).filter(({ count }) => count > 0)
  return counts.length === 0 ? 'none yet' : counts.map(({ state, count }) => `${count} ${state}`).join(', ')
}

/**
 * Times as a line from left to right, with a red line where one failed, and its scale below.
 *
 * @param from what the left end is called, as HTML
 * @param to what the right end is called, as HTML
 */
export function plot (points: readonly Point[], what: string, from: string, to: string): string {
  const known = points.filter((point) => point !== undefined)
  if (known.length === 0) return '<p class="scale">No response times yet.</p>'
  const most = Math.max(...known)
  const mean = known.reduce((sum, point) => sum + point, 0) / known.length
  const x = (index: number): number => round(points.length === 1 ? width / 2 : index * (width / (points.length - 1)))
  const y = (time: number): number => round(height - (most === 0 ? 0 : time / most * (height - margin)))
  const failed = points.map((point, index) => point === undefined ? `<line class="failed" x1="${x(index)}" y1="0" x2="${x(index)}" y2="${height}"/>` : '').join('')
  const text = `${what}: ${milliseconds(mean)} on average, ${milliseconds(most)} at most`
  return `<svg class="plot" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${text}">` +
    `<line x1="0" y1="${height - 0.5}" x2="${width}" y2="${height - 0.5}"/>${failed}${curve(points, x, y)}</svg>` +
    `<p class="scale"><span>${from}</span><span>${milliseconds(mean)} on average, ${milliseconds(most)} at most</span><span>${to}</span></p>`
}

/** A line through neighbours; one that has none is a dot. */
function curve (points: readonly Point[], x: (index: number) => number, y: (time: number) => number): string {
  let path = ''
  let dots = ''
  points.forEach((point, index) => {
    if (point === undefined) return
    if (points[index - 1] !== undefined) path += `L${x(index)} ${y(point)}`
    else if (points[index + 1] !== undefined) path += `M${x(index)} ${y(point)}`
    else dots += `<circle cx="${x(index)}" cy="${y(point)}" r="2"/>`
  })
  return (path === '' ? '' : `<path d="${path}"/>`) + dots
}

export function timesOf (checks: readonly CheckRecord[]): readonly Point[] {
  return checks.map(({ result, duration }) => result === 'RED' ? undefined : duration)
}

/** The mean of each hour; an hour in which nothing answered is a failure. */
export function hourlyTimes (hours: readonly RollUp[]): readonly Point[] {
  return hours.map(({ checks, failures, meanDuration }) => failures >= checks ? undefined : meanDuration)
}

export function milliseconds (time: number): string {
  return time < 10 ? `${round(time)} ms` : `${Math.round(time)} ms`
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
