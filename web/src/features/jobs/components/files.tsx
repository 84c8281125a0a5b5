import { useQuery } from "@tanstack/react-query"
import { addressOfFile, type Job, type JobFile, jobQueries } from "@/api/jobs"
import { DOCUMENT_FILE } from "@/api/passports"
import { PassportSheet } from "@/components/job/passport-sheet"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** The files of a job, to look at and to download. */
export function Files({ job }: { job: Job }) {
  const t = useText()
  const language = useLanguage()
  const files = useQuery(jobQueries.files(job.id))
  const columns: Column<JobFile>[] = [
    {
      name: t("web.files.name"),
      cell: ({ name }) => (
        <a href={addressOfFile(job.id, name)} download className="text-accent underline underline-offset-3">
          <LongName>{name}</LongName>
        </a>
      ),
    },
    {
      name: t("web.files.size"),
      cell: ({ num_bytes }) => <span className="whitespace-nowrap">{formatBytes(num_bytes, language)}</span>,
      isNumber: true,
    },
    {
      name: "SHA-256",
      cell: ({ sha256 }) => <code className="font-mono text-xs">{sha256?.slice(0, 16) ?? "–"}</code>,
      isWide: true,
    },
  ]
  return (
    <div className="grid gap-4">
      {job.status === "succeeded" && files.data ? (
        <PassportSheet
          id={job.id}
          hasOne={files.data.items.some(({ name }) => name === DOCUMENT_FILE)}
          addressOf={addressOfFile}
        />
      ) : null}
      <Sheet title={t("web.job.tab.files")}>
        <QueryView
          query={files}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty words={t("web.files.empty")} />}
        >
          {({ items }) => (
            <Table caption={t("web.job.tab.files")} columns={columns} rows={items} keyOf={({ name }) => name} />
          )}
        </QueryView>
      </Sheet>
    </div>
  )
}
