import type { ComparedMetric, Comparison } from "@/api/comparisons"
import type { EvaluationReport } from "@/api/evaluations"
import { lightOf } from "@/components/job/learned"
import { Icon } from "@/components/ui/icon"
import { Sheet } from "@/components/ui/sheet"
import { useLanguage, useText } from "@/lib/text"
import { marksOf, metricName, metricValue } from "../metrics"
import { JobColumns } from "./job-columns"

/** What came of the jobs in numbers; the best of each line is marked, where it can be told. */
export function MetricsSheet({ comparison: { jobs, metrics, notes } }: { comparison: Comparison }) {
  const t = useText()
  const language = useLanguage()
  const cellsOf = (metric: ComparedMetric) => {
    const shown = metric.values.map((value) => metricValue(metric.name, value, language))
    return marksOf(metric, shown).map((mark, job) => <Value key={jobs[job]?.id} words={shown[job] ?? ""} mark={mark} />)
  }
  const lines = metrics.flatMap((metric) => {
    const name = metricName(metric.name)
    const isMeasured = metric.values.some((value) => value !== null)
    return name && isMeasured ? [{ key: metric.name, name: t(name), cells: cellsOf(metric) }] : []
  })
  const codes = NOTES.filter((code) => notes.some((note) => note.code === code))
  return (
    <Sheet title={t("web.compare.metrics")}>
      <JobColumns caption={t("web.compare.metrics")} jobs={jobs} lines={lines} />
      <p className="mt-2 text-s text-ink-2">{t("web.compare.metrics_help")}</p>
      {codes.map((code) => (
        <p key={code} className="mt-2 border-l-3 border-warn pl-3 text-14">
          {t(`web.compare.note.${code}`)}
        </p>
      ))}
    </Sheet>
  )
}

const NOTES = ["different_data", "different_questions", "not_finished"] as const

function Value({ words, mark }: { words: string; mark: "best" | "worse" | null }) {
  const t = useText()
  if (mark === null) return <span className="font-normal">{words}</span>
  return (
    <span className={`inline-flex items-center gap-1 ${mark === "best" ? "text-good" : "font-normal text-ink-2"}`}>
      {mark === "best" ? <Icon name="check" size={16} /> : null}
      {words}
      <span className="sr-only">{t(`web.compare.mark.${mark}`)}</span>
    </span>
  )
}

const LIGHTS = {
  green: { icon: "check", color: "text-good" },
  yellow: { icon: "warning", color: "text-warn" },
  red: { icon: "close", color: "text-bad" },
} as const

/** What each job has learned, and what that has cost of everything else. */
export function LearnedSheet({
  comparison: { jobs },
  reports,
}: {
  comparison: Comparison
  reports: readonly (EvaluationReport | null)[]
}) {
  const t = useText()
  if (reports.every((report) => report === null)) return null
  const hasOtherWords = reports.some((report) => (report?.facts.asked_in_other_words ?? 0) > 0)
  const of = (count: number | undefined, total: number | undefined) => (total ? `${count ?? 0} / ${total}` : "–")
  return (
    <Sheet title={t("web.compare.learned")}>
      <JobColumns
        caption={t("web.compare.learned")}
        jobs={jobs}
        lines={[
          {
            key: "asked",
            name: t("web.compare.as_asked"),
            cells: reports.map((report) => of(report?.facts.remembered, report?.facts.total)),
          },
          ...(hasOtherWords
            ? [
                {
                  key: "other",
                  name: t("web.compare.in_other_words"),
                  cells: reports.map((report) => of(report?.facts.in_other_words, report?.facts.asked_in_other_words)),
                },
              ]
            : []),
          {
            key: "before",
            name: t("web.compare.before"),
            cells: reports.map((report) => of(report?.facts.remembered_before, report?.facts.total)),
          },
          {
            key: "forgetting",
            name: t("web.compare.forgetting"),
            cells: reports.map((report, job) => <Light key={jobs[job]?.id} report={report} />),
          },
        ]}
      />
      <p className="mt-2 text-s text-ink-2">{t("web.compare.forgetting_help")}</p>
    </Sheet>
  )
}

/** How much of what a model could do before is left, as shape, word and colour. */
function Light({ report }: { report: EvaluationReport | null }) {
  const t = useText()
  const light = lightOf(report?.forgetting?.light)
  if (!light) return "–"
  const { icon, color } = LIGHTS[light]
  return (
    <span className={`inline-flex flex-wrap items-center justify-end gap-x-1 max-md:text-s ${color}`}>
      <Icon name={icon} />
      {t(`web.evaluation.light.${light}`)}
    </span>
  )
}
