import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useNavigate } from "@tanstack/react-router"
import { evaluationKeys, evaluationQueries, startEvaluation } from "@/api/evaluations"
import { type Curves, isEnded, type JobSummary } from "@/api/jobs"
import { bestLoss } from "@/components/job/course"
import { GoOn, Problems } from "@/components/job/go-on"
import { JobLink } from "@/components/job/job-link"
import { LearnedCount, LightChip, lightOf } from "@/components/job/learned"
import { LossCourse } from "@/components/job/loss-course"
import { toastError } from "@/components/states/toast-error"
import { Button, buttonClass } from "@/components/ui/button"
import { Dotted } from "@/components/ui/dotted"
import { StatusChip } from "@/components/ui/status-chip"
import { formatAgo, formatLoss } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

const ROW =
  "grid grid-cols-1 items-start gap-x-6 gap-y-1.5 md:grid-cols-[minmax(0,1fr)_auto] border-b py-3 first:pt-1 last:border-0 last:pb-0 lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)_9.5rem] lg:items-center"

/** An ended job: what became of it, in numbers, and the one step that comes next. */
export function EndedJob({ job, curves }: { job: JobSummary; curves: Curves["curves"] | undefined }) {
  const language = useLanguage()
  const when = formatAgo(job.ended_at ?? job.created_at, language)
  return (
    <div className={ROW}>
      <div className="grid min-w-0 gap-1">
        <JobLink job={job} />
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-s text-ink-2">
          <StatusChip job={job} />
          <Dotted words={[job.base_model, when]} />
        </p>
      </div>
      <div className="min-w-0 empty:hidden md:max-lg:order-last md:max-lg:col-span-2">
        {job.status === "succeeded" ? <Result job={job} curves={curves} /> : null}
        <Problems job={job} />
      </div>
      <div className="max-md:mt-1 md:justify-self-end lg:col-start-3">
        <NextOf job={job} />
      </div>
    </div>
  )
}

/** The facts that it answers, what that has cost, and how its loss went. */
function Result({ job, curves }: { job: JobSummary; curves: Curves["curves"] | undefined }) {
  const t = useText()
  const { learned } = job
  const light = lightOf(learned?.light)
  return (
    <dl className="flex flex-wrap items-center gap-x-4 gap-y-1 text-s [&>div]:flex [&>div]:items-center [&>div]:gap-1.5">
      <div>
        <dt className="text-ink-2">{t("web.outcome.remembered")}</dt>
        <dd>
          <LearnedCount job={job} />
          {learned && learned.total > 0 ? (
            <small className="ml-1.5 text-ink-2">
              {t("web.evaluation.before_count", { count: learned.remembered_before })}
            </small>
          ) : null}
        </dd>
      </div>
      {light ? (
        <div>
          <dt className="sr-only">{t("web.compare.forgetting")}</dt>
          <dd>
            <LightChip light={light} />
          </dd>
        </div>
      ) : null}
      <div>
        <dt className="text-ink-2">{t("web.jobs.best")}</dt>
        <dd className="flex items-center gap-1.5">
          <b className="font-semibold">{formatLoss(bestLoss(curves))}</b>
          <LossCourse curves={curves} />
        </dd>
      </div>
    </dl>
  )
}

/** What to do with an ended job: evaluate it, talk to it, or take it up again. */
function NextOf({ job }: { job: JobSummary }) {
  const t = useText()
  if (job.status !== "succeeded") return <GoOn job={job} look="plain" />
  if (!job.learned) return <EvaluateNow job={job} />
  return (
    <Link to="/chat" search={{ models: `job:${job.id}@base,job:${job.id}` }} className={buttonClass()}>
      {t("web.job.try_chat")}
      <Of job={job} />
    </Link>
  )
}

/** Starts the evaluation of a job and goes where its result will stand; while one is at work it only leads there. */
function EvaluateNow({ job }: { job: JobSummary }) {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const evaluations = useQuery(evaluationQueries.list()).data?.items ?? []
  const place = { to: "/jobs/$jobId", params: { jobId: job.id }, search: { tab: "evaluation" } } as const
  const start = useMutation({
    mutationFn: () => startEvaluation(job.id),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: evaluationKeys.all })
      navigate(place)
    },
    onError: (error) => toastError(error, t),
  })
  if (evaluations.some((one) => one.job_id === job.id && !isEnded(one))) {
    return (
      <Link {...place} className={buttonClass()}>
        {t("web.dashboard.evaluating")}
        <Of job={job} />
      </Link>
    )
  }
  return (
    <Button isBusy={start.isPending} onClick={() => start.mutate()}>
      {t("web.outcome.evaluate")}
      <Of job={job} />
    </Button>
  )
}

/** Which job a button is about, for who does not see where it stands. */
function Of({ job }: { job: JobSummary }) {
  return <span className="sr-only">{job.name}</span>
}
