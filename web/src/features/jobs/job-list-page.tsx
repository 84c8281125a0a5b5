import { useInfiniteQuery, useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { isEnded, type JobList, type JobSummary, jobQueries, openJobs } from "@/api/jobs"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Button, buttonClass } from "@/components/ui/button"
import { INPUT } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { HistoryTable } from "./components/history-table"
import { QueueSheet } from "./components/queue-sheet"

const ROWS = 30 // of ended jobs at once
const [FEWEST, MOST] = [2, 4] // jobs that can be compared

/** All training jobs: what is at work and waits, and below what has ended, the newest first. */
export function JobListPage() {
  const t = useText()
  const jobs = useQuery(jobQueries.list())
  const newJob = (
    <Link to="/jobs/new" className={buttonClass("main")}>
      {t("web.new_job.title")}
    </Link>
  )
  return (
    <Page title={t("web.page.training")} actions={jobs.data?.items.length === 0 ? null : newJob}>
      <QueryView
        query={jobs}
        isOnDesk
        lines={6}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <Sheet>
            <Empty words={t("web.jobs.empty")}>{newJob}</Empty>
          </Sheet>
        }
      >
        {(list) => (
          <div className="grid gap-4">
            <QueueSheet jobs={openJobs(list.items)} />
            <History list={list} />
          </div>
        )}
      </QueryView>
    </Page>
  )
}

function History({ list }: { list: JobList }) {
  const t = useText()
  const [search, setSearch] = useState("")
  const [numShown, setNumShown] = useState(ROWS)
  const [selected, setSelected] = useState<readonly string[]>([])
  const older = useInfiniteQuery(jobQueries.older(list.next_cursor))
  const known = [...list.items, ...(older.data?.pages.flatMap(({ items }) => items) ?? [])]
  const found = known.filter((job) => isEnded(job) && isWanted(job, search))
  const hasOlder = older.data ? older.hasNextPage : list.next_cursor !== null
  const showMore = () => {
    if (numShown >= found.length - ROWS && hasOlder) older.fetchNextPage()
    setNumShown((count) => count + ROWS)
  }
  const toggle = (id: string) =>
    setSelected((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now, id].slice(-MOST)))
  return (
    <Sheet title={t("web.jobs.history")} aside={<Search value={search} onValue={setSearch} />}>
      <Selection ids={selected} />
      {found.length > 0 ? (
        <HistoryTable jobs={found.slice(0, numShown)} selected={selected} onSelect={toggle} />
      ) : (
        <Empty words={t(search ? "web.jobs.none_found" : "web.jobs.none_ended")} />
      )}
      {found.length > numShown || hasOlder ? (
        <Button className="mt-3" isBusy={older.isFetching} onClick={showMore}>
          {t("web.jobs.more")}
        </Button>
      ) : null}
    </Sheet>
  )
}

function Search({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const t = useText()
  return (
    <input
      type="search"
      value={value}
      onChange={(event) => onValue(event.target.value)}
      aria-label={t("web.jobs.search")}
      placeholder={t("web.jobs.search")}
      className={`${INPUT} md:max-w-60`}
    />
  )
}

/** How many jobs are selected, and what can be done with them. */
function Selection({ ids }: { ids: readonly string[] }) {
  const t = useText()
  if (ids.length === 0) return null
  return (
    <div
      role="status"
      className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-medium bg-accent-soft px-3 py-2"
    >
      <b className="text-14">{t("web.jobs.selected", { count: ids.length })}</b>
      {ids.length < FEWEST ? (
        <span className="text-s text-ink-2">{t("web.jobs.compare_more")}</span>
      ) : (
        <Link to="/compare" search={{ jobs: ids.join(",") }} className={buttonClass("main")}>
          {t("web.jobs.compare")}
        </Link>
      )}
    </div>
  )
}

function isWanted({ name, base_model: base }: JobSummary, search: string): boolean {
  const words = `${name} ${base ?? ""}`.normalize("NFKC").toLowerCase()
  return words.includes(search.normalize("NFKC").toLowerCase())
}
