import { useQuery } from "@tanstack/react-query"
import { Link, useParams } from "@tanstack/react-router"
import { jobQueries } from "@/api/jobs"
import { JobLine } from "@/components/job/job-line"
import { Page } from "@/components/layout/page"
import { QueryView } from "@/components/states/query-view"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** One job: what it does now, or what became of it. */
export function JobPage() {
  const t = useText()
  const { jobId } = useParams({ from: "/jobs/$jobId" })
  const job = useQuery(jobQueries.one(jobId))
  const over = (
    <Link to="/jobs" className="hover:text-accent">
      {t("web.page.training")}
    </Link>
  )
  return (
    <Page title={job.data?.name ?? t("web.job.title")} over={over}>
      <Sheet>
        <QueryView query={job}>{(data) => <JobLine job={data} />}</QueryView>
      </Sheet>
    </Page>
  )
}
