import type { Curves } from "@/api/jobs"

/** Returns curves over one common axis of steps, null where one of them has no value. */
export function aligned(
  { curves }: Pick<Curves, "curves">,
  names: readonly string[],
): { x: number[]; columns: (number | null)[][] } {
  const found = names.map((name) => curves[name])
  const x = [...new Set(found.flatMap((curve) => curve?.last_step ?? []))].sort((one, other) => one - other)
  const columns = found.map((curve) => {
    const values = new Map(curve?.last_step.map((step, index) => [step, curve.mean[index] ?? null]))
    return x.map((step) => values.get(step) ?? null)
  })
  return { x, columns }
}
