import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { type DatasetSummary, datasetQueries } from "@/api/datasets"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { INPUT } from "@/components/ui/field"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { formatAgo, formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { Readiness } from "./components/readiness"
import { SampleList } from "./components/sample-list"
import { useTypeName } from "./components/type-name"
import { UploadDialog } from "./components/upload-dialog"

/** All datasets, the newest first; a file dropped anywhere here is uploaded. */
export function DatasetListPage() {
  const t = useText()
  const datasets = useQuery(datasetQueries.list())
  const [search, setSearch] = useState("")
  const [dropped, setDropped] = useState<File | null>(null)
  const [isUploading, setIsUploading] = useState(false)
  const upload = (
    <Button look="main" onClick={() => setIsUploading(true)}>
      {t("web.datasets.upload")}
    </Button>
  )
  return (
    <Page title={t("web.page.datasets")} actions={datasets.data?.items.length === 0 ? null : upload}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way, the button is the other */}
      <div
        className="grid gap-4"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault()
          const file = event.dataTransfer.files[0]
          if (file) setDropped(file)
          setIsUploading(file !== undefined)
        }}
      >
        <Sheet>
          <QueryView
            query={datasets}
            lines={6}
            isEmpty={({ items }) => items.length === 0}
            empty={<Empty words={t("web.datasets.empty")}>{upload}</Empty>}
          >
            {({ items }) => (
              <>
                <div className="mb-3 flex justify-end">
                  <input
                    type="search"
                    value={search}
                    onChange={(event) => setSearch(event.target.value)}
                    aria-label={t("web.datasets.search")}
                    placeholder={t("web.datasets.search")}
                    className={`${INPUT} md:max-w-72`}
                  />
                </div>
                <DatasetTable datasets={items.filter((dataset) => hasWords(dataset, search))} />
              </>
            )}
          </QueryView>
        </Sheet>
        <SampleList />
      </div>
      <UploadDialog
        key={dropped?.name ?? ""}
        file={dropped}
        isOpen={isUploading}
        onClose={() => {
          setIsUploading(false)
          setDropped(null)
        }}
      />
    </Page>
  )
}

function DatasetTable({ datasets }: { datasets: readonly DatasetSummary[] }) {
  const t = useText()
  const language = useLanguage()
  const typeName = useTypeName()
  if (datasets.length === 0) return <Empty words={t("web.datasets.none_found")} />
  const columns: Column<DatasetSummary>[] = [
    {
      name: t("web.datasets.name"),
      cell: ({ id, name }) => (
        <Link
          to="/datasets/$datasetId"
          params={{ datasetId: id }}
          search={{ tab: "rows" }}
          className="font-semibold hover:text-accent hover:underline"
        >
          <LongName>{name}</LongName>
        </Link>
      ),
    },
    { name: t("web.datasets.type"), cell: ({ type }) => typeName(type), isWide: true },
    {
      name: t("web.datasets.count"),
      cell: ({ num_examples: count }) => count.toLocaleString(language),
      isNumber: true,
    },
    { name: t("web.datasets.state"), cell: (dataset) => <Readiness isOk={dataset.ok} /> },
    {
      name: t("web.datasets.size"),
      cell: ({ num_bytes }) => formatBytes(num_bytes, language),
      isNumber: true,
      isWide: true,
    },
    {
      name: t("web.datasets.created"),
      cell: ({ created_at }) => <span className="whitespace-nowrap">{formatAgo(created_at, language)}</span>,
      isNumber: true,
      isWide: true,
    },
  ]
  return <Table caption={t("web.page.datasets")} columns={columns} rows={datasets} keyOf={({ id }) => id} />
}

function hasWords({ name, description }: DatasetSummary, search: string): boolean {
  const plain = (text: string) => text.normalize("NFKC").toLowerCase()
  return plain(`${name} ${description}`).includes(plain(search))
}
