import { useQuery } from "@tanstack/react-query"
import { Link, useParams, useSearch } from "@tanstack/react-router"
import { type Job, jobQueries } from "@/api/jobs"
import { StartAnew } from "@/components/job/go-on"
import { Page } from "@/components/layout/page"
import { About } from "@/components/next/subject"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Dotted } from "@/components/ui/dotted"
import { Sheet } from "@/components/ui/sheet"
import { TabLinks } from "@/components/ui/tabs"
import { useText } from "@/lib/text"
import { Actions, MoreActions } from "./components/actions"
import { Diagnosis } from "./components/diagnosis"
import { Evaluation } from "./components/evaluation"
import { Files } from "./components/files"
import { Log } from "./components/log"
import { Overview } from "./components/overview"
import { Samples } from "./components/samples"
import { Settings } from "./components/settings"
import { Summary } from "./components/summary"
import { useFindings } from "./findings"
import { JOB_TABS, type JobTab } from "./tabs"

/** One job: what it does now, or what became of it. */
export function JobPage() {
  const t = useText()
  const { jobId } = useParams({ from: "/jobs/$jobId" })
  const { tab = "overview" } = useSearch({ from: "/jobs/$jobId" })
  const job = useQuery(jobQueries.one(jobId))
  const data = job.data
  const { others } = useFindings(jobId, data?.error)
  return (
    <Page
      title={data?.name ?? t("web.job.title")}
      over={
        <Link to="/jobs" className="hover:text-accent">
          {t("web.page.training")}
        </Link>
      }
      under={data ? <Origin job={data} /> : null}
      actions={data ? <Actions job={data} /> : null}
      more={data ? <MoreActions job={data} /> : null}
    >
      <QueryView query={job} isOnDesk lines={8}>
        {(found) => (
          <>
            <Problem job={found} />
            <Summary job={found} />
            <TabLinks
              label={t("web.job.views")}
              current={tab}
              tabs={JOB_TABS.map((value) => ({
                value,
                name: t(`web.job.tab.${value}`),
                count: value === "diagnosis" ? others.length : undefined,
              }))}
            />
            <View job={found} tab={tab} />
          </>
        )}
      </QueryView>
    </Page>
  )
}

const GOES_ON: readonly string[] = ["resume_job", "retry_job"]

/** What the job ended with and what else keeps it from going on, each with what can be done about it. */
function Problem({ job }: { job: Job }) {
  const { failure } = useFindings(job.id, job.error)
  const { error, obstacle } = job
  const next = failure?.action ?? error?.action
  const action = obstacle && next && GOES_ON.includes(next.name) ? null : next
  const shown = [
    ...(error ? [{ ...error, action }] : []),
    ...(obstacle && obstacle.code !== error?.code ? [obstacle] : []),
  ]
  if (shown.length === 0) return null
  return (
    <Sheet className="mb-4">
      <About value={{ jobId: job.id, datasetId: job.dataset_id }}>
        <div className="grid gap-4">
          {shown.map((problem) => (
            <Failed key={problem.code} error={problem}>
              {obstacle && problem.code === obstacle.code && !problem.action ? <StartAnew job={job} /> : null}
            </Failed>
          ))}
        </div>
      </About>
    </Sheet>
  )
}

function Origin({ job }: { job: Job }) {
  const t = useText()
  const data = job.datasets
    .filter(({ role }) => role === "train" || role === "eval")
    .map(({ name }) => name)
    .filter((name) => name !== null)
  const { replay } = job
  const earlier = replay && t("web.job.replay", { name: replay.name, percent: Math.round(100 * replay.share) })
  const words = [job.base_model, ...data, earlier, `LoRA r=${job.settings.r}`]
  return <Dotted words={words} />
}

function View({ job, tab }: { job: Job; tab: JobTab }) {
  if (tab === "diagnosis") return <Diagnosis job={job} />
  if (tab === "evaluation") return <Evaluation job={job} />
  if (tab === "samples") return <Samples job={job} />
  if (tab === "log") return <Log job={job} />
  if (tab === "settings") return <Settings job={job} />
  if (tab === "files") return <Files job={job} />
  return <Overview job={job} />
}
