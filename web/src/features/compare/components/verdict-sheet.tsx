import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import type { ComparedJob } from "@/api/comparisons"
import { type EvaluationReport, evaluationKeys, evaluationQueries, startEvaluation } from "@/api/evaluations"
import { isEnded, type JobSummary } from "@/api/jobs"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { formatMetric } from "@/lib/format"
import { type Translate, useText } from "@/lib/text"
import { questionsFor, type Tally, toEvaluate } from "../scores"
import { Letter, letterOf } from "./letter"

/** Who did best, by what was counted; or what is missing to tell it, with the button that gets it. */
export function VerdictSheet({
  jobs,
  summaries,
  reports,
  tally,
}: {
  jobs: readonly ComparedJob[]
  summaries: readonly (JobSummary | undefined)[]
  reports: readonly (EvaluationReport | null)[]
  tally: Tally
}) {
  const t = useText()
  const isTold = tally.questions > 0
  return (
    <Sheet title={t("web.compare.verdict")}>
      <p className="text-l font-semibold">{isTold ? leaderWords(tally, t) : t("web.compare.not_told")}</p>
      {isTold ? <p className="mt-1 text-14 text-ink-2">{countWords(tally, t)}</p> : null}
      {isTold ? <Cautions tally={tally} reports={reports} /> : null}
      <Evaluate jobs={jobs} summaries={summaries} positions={toEvaluate(reports)} />
    </Sheet>
  )
}

function leaderWords({ leaders, scores }: Tally, t: Translate): string {
  const names = leaders.map(letterOf).join(t("web.dot"))
  const numJudged = scores.filter((score) => score !== null).length
  if (leaders.length === numJudged) return t("web.compare.all_equal", { names })
  return t(leaders.length === 1 ? "web.compare.leads" : "web.compare.lead", { names })
}

function countWords({ questions, facts, before, scores }: Tally, t: Translate): string {
  const each = scores.flatMap((score, job) =>
    score === null ? [] : [`${letterOf(job)} ${facts > 0 ? score : formatMetric(score)}`],
  )
  const all = each.join(t("web.dot"))
  return facts > 0
    ? t("web.compare.counted", { questions, facts, each: all, before })
    : t("web.compare.counted_nearness", { questions, each: all })
}

/** What the count alone does not say: that the base knew it all, and what the best have forgotten. */
function Cautions({ tally, reports }: { tally: Tally; reports: readonly (EvaluationReport | null)[] }) {
  const t = useText()
  const best = Math.max(...tally.scores.filter((score) => score !== null))
  const forgetful = tally.leaders.filter((job) => reports[job]?.forgetting?.light === "red")
  const words = [
    tally.facts > 0 && tally.before >= best ? t("web.compare.base_knew") : null,
    forgetful.length > 0 ? t("web.compare.forgot", { names: forgetful.map(letterOf).join(t("web.dot")) }) : null,
  ].filter((line) => line !== null)
  return words.map((line) => (
    <p key={line} className="mt-2 border-l-3 border-warn pl-3 text-14">
      {line}
    </p>
  ))
}

function Evaluate({
  jobs,
  summaries,
  positions,
}: {
  jobs: readonly ComparedJob[]
  summaries: readonly (JobSummary | undefined)[]
  positions: readonly number[]
}) {
  const t = useText()
  const client = useQueryClient()
  const evaluations = useQuery(evaluationQueries.list()).data?.items ?? []
  const atWork = evaluations.filter((one) => !isEnded(one) && jobs.some(({ id }) => id === one.job_id))
  const questions = questionsFor(summaries.map((job) => job?.dataset_id ?? null))
  const start = useMutation({
    mutationFn: () => Promise.all(positions.map((job) => startEvaluation(jobs[job]?.id ?? "", questions))),
    onSettled: () => client.invalidateQueries({ queryKey: evaluationKeys.all }),
  })
  if (atWork.length > 0)
    return (
      <ul className="mt-3 grid gap-1.5 text-14" aria-live="polite">
        {atWork.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-2">
            <Letter position={jobs.findIndex(({ id }) => id === one.job_id)} />
            <StatusChip job={one} />
            <span className="text-s text-ink-2">{one.progress.message ?? t("web.compare.evaluation_waits")}</span>
          </li>
        ))}
      </ul>
    )
  if (positions.length === 0) return null
  return (
    <div className="mt-3 grid justify-items-start gap-2">
      <p className="text-14 text-ink-2">
        {t("web.compare.to_evaluate", { names: positions.map(letterOf).join(t("web.dot")) })}
      </p>
      <Button look="main" isBusy={start.isPending} onClick={() => start.mutate()}>
        {t("web.compare.evaluate")}
      </Button>
      {start.isError ? <Failed error={start.error} /> : null}
    </div>
  )
}
