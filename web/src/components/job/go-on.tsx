import { useMutation, useQueryClient } from "@tanstack/react-query"
import { changeJob, type JobSummary, jobKeys } from "@/api/jobs"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"

/** Takes a job up again where it was cut off; a plain button beside others like it, else words below a status. */
export function GoOn({ job, look = "accent" }: { job: JobSummary; look?: "accent" | "plain" }) {
  const t = useText()
  const client = useQueryClient()
  const retry = useMutation({
    mutationFn: () => changeJob(job.id, "retry"),
    onSettled: () => client.invalidateQueries({ queryKey: jobKeys.all }),
    onError: (error) => toastError(error, t),
  })
  return (
    <Button
      look={look}
      className={look === "accent" ? "-ml-2 px-2" : undefined}
      isBusy={retry.isPending}
      aria-label={t("web.jobs.resume_named", { name: job.name })}
      onClick={() => retry.mutate()}
    >
      {t("web.jobs.go_on")}
    </Button>
  )
}
