import type { Comparison } from "@/api/comparisons"
import type { SharedItem } from "./scores"

type Cell = string | number | null

/** Returns a comparison as lines of cells: settings that differ, numbers, and answers to the same questions. */
export function linesOf(
  { jobs, differences, metrics }: Comparison,
  shared: readonly SharedItem[],
): readonly (readonly Cell[])[] {
  return [
    ["", ...jobs.map(({ name }) => name)],
    ...differences.map(({ field, values }) => [field, ...values.map(plain)]),
    ...metrics.map(({ name, values }) => [name, ...values]),
    ...shared.map(({ question, items }) => [question, ...items.map((item) => item?.tuned.text ?? null)]),
  ]
}

function plain(value: unknown): Cell {
  if (typeof value === "string" || typeof value === "number" || value === null) return value
  return JSON.stringify(value)
}

/** Returns lines as CSV that spreadsheets open: with a byte order mark, and no cell that one would run as a formula. */
export function csvOf(lines: readonly (readonly Cell[])[]): string {
  return `\ufeff${lines.map((line) => line.map(cellOf).join(",")).join("\r\n")}\r\n`
}

function cellOf(cell: Cell): string {
  if (typeof cell === "number") return String(cell)
  const text = cell ?? ""
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
