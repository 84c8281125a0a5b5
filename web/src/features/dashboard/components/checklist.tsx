import { Link } from "@tanstack/react-router"
import type { DatasetSummary } from "@/api/datasets"
import type { JobSummary } from "@/api/jobs"
import { buttonClass } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** The way to the first result, ticked by what is there; it goes when a first job has succeeded. */
export function Checklist({ datasets, jobs }: { datasets: readonly DatasetSummary[]; jobs: readonly JobSummary[] }) {
  const t = useText()
  const hasData = datasets.some(({ ok }) => ok)
  const hasJob = jobs.length > 0
  return (
    <Sheet title={t("web.checklist.title")} className="border-accent/40">
      <ol className="grid gap-1">
        <Step isDone={hasData} isNext={!hasData} name={t("web.checklist.data")} note={t("web.checklist.data_note")} />
        <Step
          isDone={hasJob}
          isNext={hasData && !hasJob}
          name={t("web.checklist.job")}
          note={t("web.checklist.job_note")}
        />
      </ol>
      {hasJob ? null : (
        <Link to="/jobs/new" className={buttonClass("main", "mt-3")}>
          {t("web.checklist.start")}
        </Link>
      )}
    </Sheet>
  )
}

function Step({ isDone, isNext, name, note }: { isDone: boolean; isNext: boolean; name: string; note: string }) {
  const t = useText()
  return (
    <li aria-current={isNext ? "step" : undefined} className="flex gap-2.5 py-1">
      <span className={`pt-0.5 ${isDone ? "text-good" : isNext ? "text-accent" : "text-ink-3"}`}>
        <Icon name={isDone ? "check" : "circle"} size={20} />
      </span>
      <span className="min-w-0">
        <span className={isNext ? "font-semibold" : ""}>{name}</span>
        {isDone ? <span className="sr-only">{t("web.checklist.done")}</span> : null}
        <span className="block text-s text-ink-2">{note}</span>
      </span>
    </li>
  )
}
