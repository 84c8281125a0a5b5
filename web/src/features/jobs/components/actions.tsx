import { useMutation, useQueryClient } from "@tanstack/react-query"
import { Link, useNavigate } from "@tanstack/react-router"
import { changeJob, isEnded, type Job, type JobAction, jobKeys, statusOf } from "@/api/jobs"
import { StartAnew } from "@/components/job/go-on"
import { toastError } from "@/components/states/toast-error"
import { Button, buttonClass } from "@/components/ui/button"
import { toast } from "@/components/ui/toast"
import { type TextKey, useText } from "@/lib/text"
import { Rename } from "./rename"

const OFFERED: Record<string, readonly JobAction[]> = {
  queued: ["pause", "cancel"],
  preparing: ["pause", "cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  interrupted: ["pause", "cancel"], // the queue takes it up again by itself
  failed: ["retry"],
  canceled: ["retry"],
}
const GOES_ON: readonly JobAction[] = ["resume", "retry"]
const WORDS: Record<JobAction, TextKey> = {
  pause: "web.job.action.pause",
  resume: "web.job.action.resume",
  cancel: "web.job.action.cancel",
  retry: "web.job.action.retry",
  delete: "web.job.action.delete",
  "undo-delete": "web.undo",
}

/** Changes a job and says what went wrong; a deleted one is left, and can be had back. */
function useChange(job: Job) {
  const t = useText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (action: JobAction) => changeJob(job.id, action),
    onSuccess: (_, action) => {
      client.invalidateQueries({ queryKey: jobKeys.all })
      if (action !== "delete") return
      toast(t("web.job.deleted", { name: job.name }), { undo: () => change.mutate("undo-delete") })
      navigate({ to: "/jobs" })
    },
    onError: (error) => toastError(error, t),
  })
  return change
}

/** What can be done with a job in its status; what a worker is asked for takes until the end of its step. */
export function Actions({ job }: { job: Job }) {
  const t = useText()
  const change = useChange(job)
  const isAsked = job.stop_request !== null
  const offered = OFFERED[statusOf(job)] ?? []
  return offered
    .filter((action) => !job.obstacle || !GOES_ON.includes(action))
    .map((action) => (
      <Button key={action} isBusy={change.isPending || isAsked} onClick={() => change.mutate(action)}>
        {t(WORDS[action])}
      </Button>
    ))
}

/** What is done less often with a job. */
export function MoreActions({ job }: { job: Job }) {
  const t = useText()
  const change = useChange(job)
  const isTrained = job.status === "succeeded" && job.kind === "train"
  return (
    <>
      {isTrained ? (
        <Link to="/compare" search={{ jobs: job.id }} className={buttonClass("quiet")}>
          {t("web.job.action.compare")}
        </Link>
      ) : null}
      <StartAnew job={job} look="quiet" />
      <Rename job={job} />
      {isEnded(job) ? (
        <Button look="quiet" isBusy={change.isPending} onClick={() => change.mutate("delete")}>
          {t("web.job.action.delete")}
        </Button>
      ) : null}
    </>
  )
}
