import { useQuery } from "@tanstack/react-query"
import { isActive, type Job, jobQueries } from "@/api/jobs"
import { requestOfJob, trainingQueries } from "@/api/training"
import { Icon } from "@/components/ui/icon"
import { LongName } from "@/components/ui/long-name"
import { formatLeft } from "@/lib/format"
import { minutesWords } from "@/lib/minutes-words"
import { useLanguage, useText } from "@/lib/text"
import { PHASES, phaseOf } from "../phases"

/** What a job does until its first step, or whom it waits for, and how long the training takes; as high as its curve. */
export function Waiting({ job }: { job: Job }) {
  const t = useText()
  const language = useLanguage()
  const { data: progress } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress })
  const { minutes } = useQuery(trainingQueries.plan(requestOfJob(job))).data ?? {}
  const current = isActive(job) ? phaseOf(progress.phase) : -1
  return (
    <div className="grid min-h-62 content-center justify-items-start gap-4 md:pl-6">
      {job.status === "queued" ? <Before /> : null}
      <ol className="grid gap-2">
        {PHASES.map((phase, place) => (
          <li
            key={phase}
            aria-current={place === current ? "step" : undefined}
            className={`flex items-start gap-2.5 ${place === current ? "font-semibold" : "text-ink-2"}`}
          >
            <span
              className={`pt-0.5 ${place < current ? "text-good" : place === current ? "text-accent" : "text-ink-3"}`}
            >
              <Icon name={place < current ? "check" : "circle"} />
            </span>
            <span className="min-w-0">
              {t(`web.waiting.${phase}`)}
              {place < current ? <span className="sr-only">{t("web.checklist.done")}</span> : null}
            </span>
          </li>
        ))}
      </ol>
      {minutes ? (
        <p className="text-s text-ink-2">{t("web.waiting.time", { time: minutesWords(minutes, t, language) })}</p>
      ) : null}
    </div>
  )
}

/** How long the job before it still takes. */
function Before() {
  const t = useText()
  const language = useLanguage()
  const before = useQuery(jobQueries.list()).data?.items.find(isActive)
  const progress = useQuery({ ...jobQueries.progress(before?.id ?? ""), enabled: before !== undefined }).data
  const left = progress?.eta_seconds
  if (!before || typeof left !== "number") return null
  return (
    <p>
      <LongName>{t("web.waiting.before", { name: before.name, time: formatLeft(left, language) })}</LongName>
    </p>
  )
}
