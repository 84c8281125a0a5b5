import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type EvaluationSummary, evaluationKeys, evaluationQueries, startEvaluation } from "@/api/evaluations"
import { isEnded, type Job, jobQueries } from "@/api/jobs"
import { About } from "@/components/next/subject"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"
import { EvaluationResult } from "./evaluation-result"

/** What a finished job knows now: the newest report, the evaluation at work, or the button that starts one. */
export function Evaluation({ job }: { job: Job }) {
  const t = useText()
  const newest = useQuery(evaluationQueries.newest(job.id))
  const report = useQuery(evaluationQueries.report(job.id))
  const isAtWork = newest.data ? !isEnded(newest.data) : false
  return (
    <div className="grid gap-4">
      {newest.data && isAtWork ? <AtWork evaluation={newest.data} /> : null}
      {newest.data?.error ? (
        <Sheet>
          <About value={{ jobId: newest.data.id, trainedId: job.id }}>
            <Failed error={newest.data.error} />
          </About>
        </Sheet>
      ) : null}
      <QueryView
        query={report}
        isOnDesk
        lines={8}
        isEmpty={(found) => found === null}
        empty={isAtWork ? null : <NoneYet job={job} />}
      >
        {(found) => found && <EvaluationResult report={found} job={job} />}
      </QueryView>
      {report.data && !isAtWork ? (
        <div className="flex flex-wrap items-center gap-3">
          <Start job={job} name={t("web.evaluation.again")} />
          {report.data.ladder ? null : <Start job={job} name={t("web.ladder.start")} hasLadder />}
          <p className="text-s text-ink-2">{t("web.evaluation.again_note")}</p>
        </div>
      ) : null}
    </div>
  )
}

function NoneYet({ job }: { job: Job }) {
  const t = useText()
  const isDone = job.status === "succeeded"
  return (
    <Sheet>
      <Empty words={t(isDone ? "web.evaluation.none" : "web.evaluation.not_yet")}>
        {isDone ? <Start job={job} name={t("web.evaluation.start")} look="main" /> : null}
      </Empty>
    </Sheet>
  )
}

function Start({ job, name, look, hasLadder }: { job: Job; name: string; look?: "main"; hasLadder?: boolean }) {
  const t = useText()
  const client = useQueryClient()
  const start = useMutation({
    mutationFn: () => startEvaluation(job.id, null, hasLadder),
    onSuccess: () => client.invalidateQueries({ queryKey: evaluationKeys.all }),
    onError: (error) => toastError(error, t),
  })
  return (
    <Button look={look} isBusy={start.isPending} onClick={() => start.mutate()}>
      {name}
    </Button>
  )
}

function AtWork({ evaluation }: { evaluation: EvaluationSummary }) {
  const t = useText()
  const { data } = useQuery({ ...jobQueries.progress(evaluation.id), initialData: evaluation.progress })
  return (
    <Sheet title={t("web.evaluation.at_work")} aside={<StatusChip job={evaluation} />}>
      <Progress label={t("web.evaluation.at_work")} percent={data?.percent ?? null} isSlim />
      <p aria-live="polite" className="mt-1.5 min-h-5 text-s text-ink-2">
        {data?.message ?? t("web.evaluation.waits")}
      </p>
    </Sheet>
  )
}
