import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type Export, exportQueries } from "@/api/exports"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Dotted } from "@/components/ui/dotted"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { hasWords } from "../search"
import { DeleteWork } from "./delete-work"

const bytesOf = ({ files }: Export) => files.reduce((sum, { size_bytes: size }) => sum + size, 0)

/** What was exported: files, the name in Ollama, and how much deleting frees. */
export function ExportList({ search }: { search: string }) {
  const t = useText()
  const exports = useQuery(exportQueries.list())
  return (
    <Sheet>
      <QueryView
        query={exports}
        lines={6}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <Empty words={t("web.models.no_exports")}>
            <Link to="/exports/new" className={buttonClass("main")}>
              {t("web.exports.new")}
            </Link>
          </Empty>
        }
      >
        {({ items }) => {
          const found = items.filter(({ name, ollama }) => hasWords([name, ollama?.name ?? null], search))
          return found.length === 0 ? <Empty words={t("web.models.none_found")} /> : <ExportTable exports={found} />
        }}
      </QueryView>
    </Sheet>
  )
}

function ExportTable({ exports }: { exports: readonly Export[] }) {
  const t = useText()
  const language = useLanguage()
  const columns: Column<Export>[] = [
    {
      name: t("web.models.name"),
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
    {
      name: t("web.models.files"),
      cell: ({ files }) => (files.length > 0 ? <Dotted words={files.map(({ file }) => file)} /> : "–"),
      isWide: true,
    },
    { name: t("web.source.ollama"), cell: ({ ollama }) => ollama?.name ?? "–", isWide: true },
    { name: t("web.models.size"), cell: (made) => formatBytes(bytesOf(made), language), isNumber: true },
    {
      name: t("web.models.deeds"),
      cell: (made) => (
        <span className="-mr-2 flex justify-end">
          <DeleteWork id={made.id} name={made.name} sizeOf={async () => bytesOf(made)} />
        </span>
      ),
      isNumber: true,
    },
  ]
  return <Table caption={t("web.models.tab.exports")} columns={columns} rows={exports} keyOf={({ id }) => id} />
}
