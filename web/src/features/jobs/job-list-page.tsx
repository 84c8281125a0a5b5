import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { isActive, isEnded, type JobSummary, jobQueries } from "@/api/jobs"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { INPUT } from "@/components/ui/field"
import { Segmented } from "@/components/ui/segmented"
import { Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { useText } from "@/lib/text"
import { JobTable } from "./components/job-table"

type Which = "all" | "open" | "ended"

/** All training jobs, the newest first. */
export function JobListPage() {
  const t = useText()
  const jobs = useQuery(jobQueries.list())
  const [which, setWhich] = useState<Which>("all")
  const [search, setSearch] = useState("")
  const newJob = (
    <Link to="/jobs/new" className={buttonClass("main")}>
      {t("web.new_job.title")}
    </Link>
  )
  return (
    <Page title={t("web.page.training")} actions={newJob}>
      <Sheet>
        <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
          <Segmented
            label={t("web.jobs.which")}
            value={which}
            onValue={setWhich}
            options={[
              { value: "all", name: t("web.jobs.all") },
              { value: "open", name: t("web.jobs.open") },
              { value: "ended", name: t("web.jobs.ended") },
            ]}
          />
          <input
            type="search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            aria-label={t("web.jobs.search")}
            placeholder={t("web.jobs.search")}
            className={`${INPUT} max-w-72`}
          />
        </div>
        <QueryView
          query={jobs}
          skeleton={<Skeleton lines={6} />}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty words={t("web.jobs.empty")}>{newJob}</Empty>}
        >
          {({ items }) => {
            const found = items.filter((job) => isWanted(job, which, search))
            return found.length > 0 ? <JobTable jobs={found} /> : <Empty words={t("web.jobs.none_found")} />
          }}
        </QueryView>
      </Sheet>
    </Page>
  )
}

function isWanted(job: JobSummary, which: Which, search: string): boolean {
  const isOpen = isActive(job) || !isEnded(job)
  const words = `${job.name} ${job.base_model ?? ""}`.normalize("NFKC").toLowerCase()
  return (which === "all" || isOpen === (which === "open")) && words.includes(search.normalize("NFKC").toLowerCase())
}
