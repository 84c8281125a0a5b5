import type { Forgetting } from "@/api/evaluations"
import { LightChip, lightOf } from "@/components/job/learned"
import { Sheet } from "@/components/ui/sheet"
import { formatLoss } from "@/lib/format"
import { type Translate, useText } from "@/lib/text"

/** What training has cost elsewhere: a light, and what it was judged by. */
export function ForgettingSheet({ forgetting }: { forgetting: Forgetting }) {
  const t = useText()
  const light = lightOf(forgetting.light) ?? "yellow"
  return (
    <Sheet title={t("web.evaluation.forgetting")} aside={<LightChip light={light} />}>
      <p className="text-14">{t(`web.evaluation.light_words.${light}`)}</p>
      <ul className="mt-2 grid list-disc gap-1 pl-5 text-s text-ink-2">
        {measured(forgetting, t).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </Sheet>
  )
}

function measured({ general, untaught, drift, worst_kind: worst }: Forgetting, t: Translate): string[] {
  const lines = [
    general
      ? t("web.evaluation.changed", {
          total: general.num_questions,
          right: general.right_before,
          changed: general.changed.length,
        })
      : null,
    untaught
      ? t("web.evaluation.invented", { total: untaught.num_questions, before: untaught.base, after: untaught.tuned })
      : null,
    t("web.evaluation.drift", { total: drift.num_questions, broken: drift.newly_broken, echoes: drift.echoes }),
    worst
      ? t("web.evaluation.worst", { before: formatLoss(worst.base_loss), after: formatLoss(worst.tuned_loss) })
      : null,
  ]
  return lines.filter((line) => line !== null)
}
