import { Link } from "@tanstack/react-router"
import type { Job } from "@/api/jobs"
import { buttonClass } from "@/components/ui/button"
import { useText } from "@/lib/text"

/** What comes after a job that has succeeded; what has not been measured yet comes first. */
export function NextSteps({ job }: { job: Job }) {
  const t = useText()
  return (
    <div className="mt-4 flex flex-wrap items-center gap-2 border-t pt-3">
      <span className="mr-1 text-s text-ink-2 max-md:w-full">{t("web.outcome.next")}</span>
      <Link
        to="/jobs/$jobId"
        params={{ jobId: job.id }}
        search={{ tab: "evaluation" }}
        resetScroll={false}
        className={buttonClass(job.facts ? "plain" : "main")}
      >
        {t(job.facts ? "web.outcome.see_evaluation" : "web.outcome.evaluate")}
      </Link>
      <Link
        to="/chat"
        search={{ models: `job:${job.id}@base,job:${job.id}` }}
        className={buttonClass(job.facts ? "main" : "plain")}
      >
        {t("web.job.try_chat")}
      </Link>
      <Link to="/exports/new" search={{ job: job.id }} className={buttonClass()}>
        {t("web.job.action.export")}
      </Link>
    </div>
  )
}
