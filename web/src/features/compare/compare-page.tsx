import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useSearch } from "@tanstack/react-router"
import { comparisonQueries } from "@/api/comparisons"
import { evaluationKeys, evaluationQueries, startEvaluation } from "@/api/evaluations"
import { isEnded, type JobSummary, jobQueries } from "@/api/jobs"
import { LadderSheet } from "@/components/job/ladder-sheet"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button, buttonClass } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { canCombine } from "./combination"
import { AnswersSheet } from "./components/answers-sheet"
import { CombineSheet } from "./components/combine-sheet"
import { CurvesSheet } from "./components/curves-sheet"
import { DifferencesSheet } from "./components/differences-sheet"
import { JobPicker } from "./components/job-picker"
import { LearnedSheet, MetricsSheet } from "./components/metrics-sheet"
import { TakeAway } from "./components/take-away"
import { VerdictSheet } from "./components/verdict-sheet"
import { sharedItems, tallyOf } from "./scores"
import { FEWEST_JOBS, idsOf } from "./search"

/** Two to four jobs side by side: which they are stands in the address. */
export function ComparePage() {
  const t = useText()
  const ids = idsOf(useSearch({ from: "/compare" }))
  const jobs = useQuery(jobQueries.list())
  return (
    <Page title={t("web.page.compare")} under={t("web.compare.words")}>
      <QueryView query={jobs} isOnDesk lines={6}>
        {({ items }) => <View jobs={items} ids={ids} />}
      </QueryView>
    </Page>
  )
}

function View({ jobs, ids }: { jobs: readonly JobSummary[]; ids: readonly string[] }) {
  const t = useText()
  const numFinished = jobs.filter(({ status }) => status === "succeeded").length
  const none = (
    <Sheet>
      <Empty words={t("web.compare.empty")}>
        <Link to="/jobs/new" className={buttonClass("main")}>
          {t("web.new_job.title")}
        </Link>
      </Empty>
      <p className="mt-3 border-t pt-3 text-14 text-ink-2">{t("web.compare.empty_shows")}</p>
    </Sheet>
  )
  if (ids.length === 0 && numFinished === 0) return none
  return (
    <div className="grid grid-cols-1 gap-4">
      <JobPicker jobs={jobs} ids={ids} />
      {ids.length < FEWEST_JOBS ? (
        <>
          {numFinished < FEWEST_JOBS ? none : null}
          {ids.map((id) => (
            <Alone key={id} id={id} />
          ))}
        </>
      ) : (
        <Comparison jobs={jobs} ids={ids} />
      )}
    </div>
  )
}

/** One job beside what its base can do without it: with a prompt and with examples. */
function Alone({ id }: { id: string }) {
  const t = useText()
  const report = useQuery(evaluationQueries.report(id))
  const client = useQueryClient()
  const start = useMutation({
    mutationFn: () => startEvaluation(id, null, true),
    onSuccess: () => client.invalidateQueries({ queryKey: evaluationKeys.all }),
  })
  const newest = useQuery(evaluationQueries.newest(id)).data
  const isAtWork = newest ? !isEnded(newest) : false
  return (
    <QueryView query={report} isOnDesk>
      {(found) =>
        found?.ladder ? (
          <LadderSheet ladder={found.ladder} />
        ) : (
          <Sheet title={t("web.ladder.title")}>
            <Empty words={isAtWork ? (newest?.progress.message ?? t("web.evaluation.waits")) : t("web.ladder.words")}>
              <Button isBusy={start.isPending || isAtWork} onClick={() => start.mutate()}>
                {t("web.ladder.start")}
              </Button>
            </Empty>
            {start.isError ? <Failed error={start.error} /> : null}
          </Sheet>
        )
      }
    </QueryView>
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
    <QueryView query={comparison} isOnDesk lines={12}>
      {(found) => (
        <>
          <QueryView query={report} isOnDesk>
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
          {canCombine(found) ? <CombineSheet key={ids.join()} jobs={found.jobs} /> : null}
          <TakeAway comparison={found} shared={shared} />
        </>
      )}
    </QueryView>
  )
}
