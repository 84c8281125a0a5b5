import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type Export, exportQueries } from "@/api/exports"
import { isActive } from "@/api/jobs"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { LongName } from "@/components/ui/long-name"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { type Column, Table } from "@/components/ui/table"
import { formatAgo, formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { VerdictChip } from "./components/verdict"
import { worthOf } from "./worth"

/** All exports, the newest first. */
export function ExportListPage() {
  const t = useText()
  const exports = useQuery(exportQueries.list())
  const fresh = (
    <Link to="/exports/new" className={buttonClass("main")}>
      {t("web.exports.new")}
    </Link>
  )
  return (
    <Page title={t("web.page.exports")} actions={exports.data?.items.length === 0 ? null : fresh}>
      <Sheet>
        <QueryView
          query={exports}
          lines={6}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty words={t("web.exports.empty")}>{fresh}</Empty>}
        >
          {({ items }) => <ExportTable exports={items} />}
        </QueryView>
      </Sheet>
    </Page>
  )
}

function ExportTable({ exports }: { exports: readonly Export[] }) {
  const t = useText()
  const language = useLanguage()
  const columns: Column<Export>[] = [
    {
      name: t("web.jobs.name"),
      cell: ({ id, name }) => (
        <Link
          to="/exports/$exportId"
          params={{ exportId: id }}
          className="font-semibold hover:text-accent hover:underline"
        >
          <LongName>{name}</LongName>
        </Link>
      ),
    },
    { name: t("web.exports.verdict"), cell: (made) => <State made={made} /> },
    { name: t("web.exports.kinds"), cell: ({ quantizations }) => (quantizations ?? []).join(", "), isWide: true },
    {
      name: t("web.files.size"),
      cell: ({ files }) => (files.length > 0 ? formatBytes(bytesOf(files), language) : "–"),
      isNumber: true,
      isWide: true,
    },
    {
      name: t("web.exports.made"),
      cell: ({ created_at }) => <span className="whitespace-nowrap">{formatAgo(created_at, language)}</span>,
      isNumber: true,
      isWide: true,
    },
  ]
  return <Table caption={t("web.page.exports")} columns={columns} rows={exports} keyOf={({ id }) => id} />
}

function State({ made }: { made: Export }) {
  const t = useText()
  const { kind } = worthOf(made)
  if (made.status === "succeeded" && kind !== "none") return <VerdictChip verdict={kind} />
  return (
    <div className="grid max-w-48 justify-items-start gap-1.5">
      <StatusChip job={made} />
      {isActive(made) ? (
        <div className="w-full min-w-24">
          <Progress label={t("web.job.progress_of", { name: made.name })} percent={made.progress.percent} isSlim />
        </div>
      ) : null}
    </div>
  )
}

function bytesOf(files: Export["files"]): number {
  return files.reduce((sum, { size_bytes }) => sum + size_bytes, 0)
}
