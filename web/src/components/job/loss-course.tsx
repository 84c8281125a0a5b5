import type { Curves } from "@/api/jobs"
import { Sparkline } from "@/components/ui/sparkline"
import { formatLoss } from "@/lib/format"
import { useText } from "@/lib/text"
import { courseOf } from "./course"

/** How the loss of a job went, in the height of a line. */
export function LossCourse({ curves }: { curves: Curves["curves"] | undefined }) {
  const t = useText()
  const values = courseOf(curves)
  const [first, last] = [formatLoss(values[0]), formatLoss(values.at(-1))]
  return <Sparkline values={values} words={t("web.jobs.course_words", { first, last })} />
}
