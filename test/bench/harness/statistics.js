export function median (values) {
  return quantile(values, 0.5)
}

export function quantile (values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const below = Math.floor(position)
  const above = Math.ceil(position)
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below)
}

/**
 * The ratio of two interleaved series: the median of the ratios of each round, for what slows a round down slows
 * both. `spread` is the half width of the notch of a box plot, 1.57 IQR / sqrt(n): about a 95 % interval of the median.
 */
export function ratioOf (values, references) {
  const ratios = values.map((value, round) => value / references[round])
  return {
    ratio: median(ratios),
    spread: 1.57 * (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / Math.sqrt(ratios.length)
  }
}

/** The reference of a round: both measurements of the peer count alike. */
export function between (first, again) {
  return first.map((value, round) => Math.sqrt(value * again[round]))
}
