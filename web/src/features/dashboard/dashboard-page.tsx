import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { datasetQueries } from "@/api/datasets"
import { evaluationQueries } from "@/api/evaluations"
import { isEnded, type JobSummary, jobQueries, openJobs } from "@/api/jobs"
import { JobLine } from "@/components/job/job-line"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { useUi } from "@/lib/ui"
import { Checklist } from "./components/checklist"
import { EndedJob } from "./components/ended-job"
import { SystemSheet } from "./components/system-sheet"

const MOST_ENDED = 5

/** What runs, what waits, what became of the last jobs, and how the machine does. */
export function DashboardPage() {
  const t = useText()
  const jobs = useQuery(jobQueries.list())
  const guide = useGuide()
  return (
    <Page
      title={t("web.page.dashboard")}
      actions={
        <Link to="/jobs/new" className={buttonClass("main")}>
          {t("web.dashboard.train")}
        </Link>
      }
      more={
        <>
          <Link to="/datasets" className={buttonClass()}>
            {t("web.dashboard.upload")}
          </Link>
          <Link to="/chat" search={{ mode: "text" }} className={buttonClass()}>
            {t("web.chat.mode.text")}
          </Link>
        </>
      }
    >
      <div className="grid grid-cols-1 gap-4">
        <div className="items-start gap-4 max-lg:contents lg:grid lg:grid-cols-[minmax(0,1fr)_340px]">
          {guide ?? <Queue />}
          <div className="min-w-0 max-lg:order-last">
            <SystemSheet />
          </div>
        </div>
        {guide ? <Queue /> : null}
        <Sheet
          title={t("web.dashboard.ended")}
          aside={
            <Link to="/jobs" className="text-s text-accent underline underline-offset-3">
              {t("web.dashboard.all_jobs")}
            </Link>
          }
        >
          <QueryView
            query={jobs}
            lines={4}
            isEmpty={({ items }) => !items.some(isEnded)}
            empty={<Empty words={t("web.dashboard.none_ended")} />}
          >
            {({ items }) => <Ended jobs={items.filter(isEnded).slice(0, MOST_ENDED)} />}
          </QueryView>
        </Sheet>
      </div>
    </Page>
  )
}

/** The way to the first result, until it has been gone. */
function useGuide() {
  const isGuided = useUi((state) => state.isGuided)
  const jobs = useQuery(jobQueries.list()).data
  const datasets = useQuery(datasetQueries.list()).data
  const evaluations = useQuery(evaluationQueries.list()).data
  if (isGuided || !jobs || !datasets || !evaluations) return null
  return <Checklist datasets={datasets.items} jobs={jobs.items} evaluations={evaluations.items} />
}

/** What is at work and what waits. */
function Queue() {
  const t = useText()
  const jobs = useQuery(jobQueries.list())
  return (
    <Sheet title={t("web.jobs.queue")}>
      <QueryView
        query={jobs}
        lines={4}
        isEmpty={({ items }) => openJobs(items).length === 0}
        empty={<Empty words={t("web.dashboard.idle")} />}
      >
        {({ items }) => (
          <ol>
            {openJobs(items).map((job) => (
              <JobLine key={job.id} job={job} />
            ))}
          </ol>
        )}
      </QueryView>
    </Sheet>
  )
}

function Ended({ jobs }: { jobs: readonly JobSummary[] }) {
  const { data: courses, isLoading } = useQuery(jobQueries.courses(jobs.map(({ id }) => id)))
  return (
    <div aria-busy={isLoading}>
      {jobs.map((job) => (
        <EndedJob key={job.id} job={job} curves={courses?.get(job.id)} />
      ))}
    </div>
  )
}
