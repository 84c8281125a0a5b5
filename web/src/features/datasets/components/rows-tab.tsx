import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { type Dataset, type DatasetRow, datasetQueries } from "@/api/datasets"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { INPUT } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { EditRow } from "./edit-row"
import { Pager } from "./pager"
import { ProblemLine } from "./problem-line"

/** The rows as they stand in the file, with what is wrong with each; one can be looked for and changed. */
export function RowsTab({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const [search, setSearch] = useState("")
  const [places, setPlaces] = useState([0])
  const [edited, setEdited] = useState<DatasetRow | null>(null)
  const cursor = places.at(-1) ?? 0
  const rows = useQuery(datasetQueries.rows(dataset.id, { cursor, q: search, problem: null }))
  return (
    <Sheet>
      <div className="mb-2 flex justify-end">
        <input
          type="search"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value)
            setPlaces([0])
          }}
          aria-label={t("web.dataset.search_rows")}
          placeholder={t("web.dataset.search_rows")}
          className={`${INPUT} md:max-w-72`}
        />
      </div>
      <QueryView
        query={rows}
        lines={8}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty words={t("web.dataset.no_rows_found")} />}
      >
        {({ items, next_cursor }) => (
          <>
            <ol className="divide-y">
              {items.map((row) => (
                <Row key={row.row} row={row} onEdit={() => setEdited(row)} />
              ))}
            </ol>
            <Pager before={places} next={next_cursor} onPlaces={setPlaces} />
          </>
        )}
      </QueryView>
      {edited ? <EditRow dataset={dataset} row={edited} onClose={() => setEdited(null)} /> : null}
    </Sheet>
  )
}

function Row({ row, onEdit }: { row: DatasetRow; onEdit: () => void }) {
  const t = useText()
  const canEdit = row.fields !== null && !row.is_shortened
  return (
    <li className="grid grid-cols-[2rem_minmax(0,1fr)_auto] items-start gap-x-3 py-3">
      <span className="pt-0.5 text-right text-s text-ink-3">{row.row.toLocaleString()}</span>
      <div className="grid min-w-0 gap-2">
        {row.fields ? <Fields fields={row.fields} /> : <pre className="whitespace-pre-wrap text-s">{row.text}</pre>}
        {row.problems.map((problem) => (
          <ProblemLine key={`${problem.code} ${problem.field}`} problem={problem} />
        ))}
      </div>
      {canEdit ? (
        <Button look="quiet" onClick={onEdit} aria-label={t("web.dataset.edit_row", { row: row.row })}>
          {t("web.edit")}
        </Button>
      ) : null}
    </li>
  )
}

function Fields({ fields }: { fields: Record<string, unknown> }) {
  return (
    <dl className="grid gap-1 text-14 md:grid-cols-[minmax(5rem,max-content)_minmax(0,1fr)] md:gap-x-4">
      {Object.entries(fields).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-s text-ink-2">{name}</dt>
          <dd className="whitespace-pre-wrap">{typeof value === "string" ? value : JSON.stringify(value, null, 1)}</dd>
        </div>
      ))}
    </dl>
  )
}
