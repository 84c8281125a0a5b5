import { useQueries, useQuery } from "@tanstack/react-query"
import { Link, useSearch } from "@tanstack/react-router"
import { comparisonQueries } from "@/api/comparisons"
import { type JobSummary, jobQueries } from "@/api/jobs"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { useText } from "@/lib/text"
import { AnswersSheet } from "./components/answers-sheet"
import { CurvesSheet } from "./components/curves-sheet"
import { DifferencesSheet } from "./components/differences-sheet"
import { JobPicker } from "./components/job-picker"
import { LearnedSheet, MetricsSheet } from "./components/metrics-sheet"
import { VerdictSheet } from "./components/verdict-sheet"
import { sharedItems, tallyOf } from "./scores"
import { idsOf } from "./search"

const FEWEST = 2

/** Two to four jobs side by side: which they are stands in the address. */
export function ComparePage() {
  const t = useText()
  const ids = idsOf(useSearch({ from: "/compare" }))
  const jobs = useQuery(jobQueries.list())
  return (
    <Page title={t("web.page.compare")} under={t("web.compare.words")}>
      <QueryView query={jobs} skeleton={<Skeleton lines={6} />}>
        {({ items }) => <View jobs={items} ids={ids} />}
      </QueryView>
    </Page>
  )
}

function View({ jobs, ids }: { jobs: readonly JobSummary[]; ids: readonly string[] }) {
  const t = useText()
  const numFinished = jobs.filter(({ status }) => status === "succeeded").length
  if (ids.length === 0 && numFinished < FEWEST)
    return (
      <Sheet>
        <Empty words={t("web.compare.empty")}>
          <Link to="/jobs/new" className={buttonClass("main")}>
            {t("web.new_job.title")}
          </Link>
        </Empty>
      </Sheet>
    )
  return (
    <div className="grid grid-cols-1 gap-4">
      <JobPicker jobs={jobs} ids={ids} />
      {ids.length < FEWEST ? (
        <Sheet>
          <Empty words={t("web.compare.choose_two")} />
        </Sheet>
      ) : (
        <Comparison jobs={jobs} ids={ids} />
      )}
    </div>
  )
}

function Comparison({ jobs, ids }: { jobs: readonly JobSummary[]; ids: readonly string[] }) {
  const comparison = useQuery(comparisonQueries.of(ids))
  const loaded = useQueries({ queries: ids.map((id) => comparisonQueries.report(id)) })
  const report = loaded.find(({ isError }) => isError) ?? loaded.find(({ data }) => data === undefined) ?? loaded[0]
  const reports = loaded.map(({ data }) => data?.evaluation ?? null)
  const summaries = ids.map((id) => jobs.find((job) => job.id === id))
  const shared = sharedItems(reports)
  if (!report) return null
  return (
    <QueryView query={comparison} skeleton={<Skeleton lines={12} />}>
      {(found) => (
        <>
          <QueryView query={report}>
            {() => (
              <VerdictSheet
                jobs={found.jobs}
                summaries={summaries}
                reports={reports}
                tally={tallyOf(shared, ids.length)}
              />
            )}
          </QueryView>
          <CurvesSheet jobs={found.jobs} />
          <div className={`grid grid-cols-1 items-start gap-4 ${ids.length > 2 ? "" : "lg:grid-cols-2"}`}>
            <DifferencesSheet comparison={found} summaries={summaries} />
            <LearnedSheet comparison={found} reports={reports} />
          </div>
          <MetricsSheet comparison={found} />
          <AnswersSheet jobs={found.jobs} shared={shared} />
        </>
      )}
    </QueryView>
  )
}
