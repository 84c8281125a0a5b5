/** Returns the number that somebody typed, also with full-width digits and grouping (`３ｅ－４`, `1，024`); null if none. */
export function parseNumber(typed: string): number | null {
  const plain = typed
    .normalize("NFKC")
    .replace(/[\u2212\u2010-\u2015\u30fc]/g, "-")
    .replace(/[\s,_\u3001]/g, "")
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null
  const value = Number(plain)
  return Number.isFinite(value) ? value : null
}

/** Returns a number as it stands in a field: short, and never in digits that a float adds. */
export function writeNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential().replace("e+", "e")
  return String(Number(value.toPrecision(12)))
}
