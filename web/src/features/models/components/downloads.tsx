import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { changeJob, isEnded, type JobSummary, jobQueries } from "@/api/jobs"
import { ollamaKeys, ollamaQueries } from "@/api/ollama"
import { Failed } from "@/components/states/failed"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { LongName } from "@/components/ui/long-name"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"

/** Models that Ollama is downloading, and those whose download failed; nothing where all went well. */
export function Downloads() {
  const t = useText()
  const { data } = useQuery(ollamaQueries.downloads())
  const shown = data?.items.filter((job) => !isEnded(job) || job.status === "failed") ?? []
  if (shown.length === 0) return null
  return (
    <Sheet title={t("web.models.downloads")}>
      <ul className="divide-y">
        {shown.map((job) => (
          <Download key={job.id} job={job} />
        ))}
      </ul>
    </Sheet>
  )
}

function Download({ job }: { job: JobSummary }) {
  const t = useText()
  const client = useQueryClient()
  const { data } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress, enabled: !isEnded(job) })
  const change = useMutation({
    mutationFn: (action: "cancel" | "retry" | "delete") => changeJob(job.id, action),
    onError: (error) => toastError(error, t),
    onSettled: () => client.invalidateQueries({ queryKey: ollamaKeys.downloads }),
  })
  return (
    <li className="grid gap-1.5 py-3 first:pt-0 last:pb-0">
      <div className="flex items-center justify-between gap-3">
        <b className="min-w-0">
          <LongName>{job.name}</LongName>
        </b>
        <StatusChip job={job} />
      </div>
      {job.error ? (
        <Failed error={job.error} onRetry={job.obstacle ? undefined : () => change.mutate("retry")}>
          <Button onClick={() => change.mutate("delete")}>{t("web.job.action.delete")}</Button>
        </Failed>
      ) : (
        <>
          <Progress label={t("web.job.progress_of", { name: job.name })} percent={data.percent} isSlim />
          <div className="flex items-center justify-between gap-3">
            <p className="text-s text-ink-2">{data.message ?? t("web.exports.waits")}</p>
            <Button isBusy={change.isPending || job.stop_request !== null} onClick={() => change.mutate("cancel")}>
              {t("web.job.action.cancel")}
            </Button>
          </div>
        </>
      )}
    </li>
  )
}
