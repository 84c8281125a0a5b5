import { useMutation, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { changeJob, type JobSummary, jobKeys } from "@/api/jobs"
import { toastError } from "@/components/states/toast-error"
import { Button, buttonClass } from "@/components/ui/button"
import { LongName } from "@/components/ui/long-name"
import { useText } from "@/lib/text"

type Look = "accent" | "plain"

/** Takes a job up again where it was cut off; where it cannot go on, leads to a new one that begins with its settings. */
export function GoOn({ job, look = "accent" }: { job: JobSummary; look?: Look }) {
  const t = useText()
  const client = useQueryClient()
  const retry = useMutation({
    mutationFn: () => changeJob(job.id, "retry"),
    onSettled: () => client.invalidateQueries({ queryKey: jobKeys.all }),
    onError: (error) => toastError(error, t),
  })
  if (job.obstacle) return <StartAnew job={job} look={look} />
  return (
    <Button
      look={look}
      className={classOf(look)}
      isBusy={retry.isPending}
      aria-label={t("web.jobs.resume_named", { name: job.name })}
      onClick={() => retry.mutate()}
    >
      {t("web.jobs.go_on")}
    </Button>
  )
}

/** Leads to the form of a new job that begins with the settings of another one. */
export function StartAnew({ job, look = "plain" }: { job: { id: string; name: string }; look?: Look | "quiet" }) {
  const t = useText()
  return (
    <Link to="/jobs/new" search={{ from: job.id }} className={buttonClass(look, classOf(look))}>
      {t("web.job.action.clone")}
      <span className="sr-only">{job.name}</span>
    </Link>
  )
}

/** Returns what lets the words of a button without a frame end where its column does. */
function classOf(look: Look | "quiet"): string | undefined {
  return look === "accent" ? "-mr-2 px-2" : undefined
}

/** What a job ended with, and what else keeps it from going on. */
export function Problems({ job: { error, obstacle } }: { job: Pick<JobSummary, "error" | "obstacle"> }) {
  return (
    <>
      {error ? (
        <p className="text-s text-bad">
          <LongName>{error.detail}</LongName>
        </p>
      ) : null}
      {obstacle && obstacle.code !== error?.code ? (
        <p className="text-s text-ink-2">
          <LongName>{obstacle.detail}</LongName>
        </p>
      ) : null}
    </>
  )
}
