import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { isActive, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { CopyButton } from "@/components/ui/copy"
import { INPUT } from "@/components/ui/field"
import { Listing } from "@/components/ui/listing"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

const EVERY = 2000 // milliseconds between looks at the log of a running job

/** The end of a job's log, searched and copied. */
export function Log({ job }: { job: Job }) {
  const t = useText()
  const log = useQuery({ ...jobQueries.log(job.id), refetchInterval: isActive(job) ? EVERY : false })
  const [search, setSearch] = useState("")
  const lines = (log.data?.text ?? "").split("\n").filter((line) => line.includes(search))
  return (
    <Sheet title={t("web.job.tab.log")} aside={<CopyButton text={lines.join("\n")} />}>
      <input
        type="search"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
        aria-label={t("web.log.search")}
        placeholder={t("web.log.search")}
        className={`${INPUT} mb-3 md:max-w-72`}
      />
      <QueryView query={log} isEmpty={({ text }) => text === ""} empty={<Empty words={t("web.log.empty")} />}>
        {() => <Listing text={lines.join("\n") || t("web.log.none_found")} />}
      </QueryView>
    </Sheet>
  )
}
