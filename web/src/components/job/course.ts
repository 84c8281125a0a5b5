import type { Curves } from "@/api/jobs"

type Named = Curves["curves"] | undefined

/** Returns the course of a job's loss, as few values. */
export function courseOf(curves: Named): readonly number[] {
  return curves?.loss?.mean ?? []
}

/** Returns the lowest loss of a job: on held-out rows where it was measured there, else of a training step. */
export function bestLoss(curves: Named): number | null {
  const measured = curves?.eval_loss?.lowest.length ? curves.eval_loss.lowest : (curves?.loss?.lowest ?? [])
  return measured.length > 0 ? Math.min(...measured) : null
}
