import { useState } from "react"
import type { Dataset, Doubts } from "@/api/datasets"
import { useRepair } from "@/components/next/repair"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Select } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** What only a person can tell: which encoding reads right, which column is the question and which the answer. */
export function DoubtsPanel({ dataset }: { dataset: Dataset }) {
  const doubts = dataset.doubts
  if (!doubts || (doubts.encodings.length === 0 && !doubts.columns)) return null
  return (
    <Sheet className="mb-4 grid gap-5">
      {doubts.encodings.length > 0 ? <Encodings dataset={dataset} encodings={doubts.encodings} /> : null}
      {doubts.columns ? <Columns dataset={dataset} columns={doubts.columns} /> : null}
    </Sheet>
  )
}

function Encodings({ dataset, encodings }: { dataset: Dataset; encodings: Doubts["encodings"] }) {
  const t = useText()
  const repair = useRepair(dataset.id)
  return (
    <div className="grid gap-3">
      <h2>{t("web.doubts.encoding")}</h2>
      {encodings.map(({ encoding, lines }) => (
        <div key={encoding} className="grid gap-2">
          <ul className="grid gap-1 text-14">
            {lines.map(({ line, after }) => (
              <li key={line} className="flex gap-3">
                <span className="text-s text-ink-3">{line}</span>
                <span className="min-w-0">{after}</span>
              </li>
            ))}
          </ul>
          <div>
            <Button
              isBusy={repair.isPending && repair.variables.encoding === encoding}
              onClick={() => repair.mutate({ actions: [], encoding })}
            >
              {t("web.doubts.read_as", { encoding: encoding.toUpperCase() })}
            </Button>
          </div>
        </div>
      ))}
      {repair.isError ? <Failed error={repair.error} /> : null}
    </div>
  )
}

function Columns({ dataset, columns }: { dataset: Dataset; columns: NonNullable<Doubts["columns"]> }) {
  const t = useText()
  const repair = useRepair(dataset.id)
  const [chosen, setChosen] = useState<Record<string, string>>(columns.map)
  const fields = [
    { field: "instruction", label: t("web.doubts.question") },
    { field: "output", label: t("web.doubts.answer") },
  ]
  const isComplete = fields.every(({ field }) => chosen[field])
  return (
    <div className="grid gap-3">
      <h2>{t("web.doubts.columns")}</h2>
      <div className="grid gap-3 md:grid-cols-2">
        {fields.map(({ field, label }) => (
          <Select
            key={field}
            label={label}
            value={chosen[field] ?? ""}
            help={columns.names.find(({ name }) => name === chosen[field])?.examples.join(" / ")}
            onChange={(event) => setChosen({ ...chosen, [field]: event.target.value })}
          >
            <option value="">{t("web.doubts.choose")}</option>
            {columns.names.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        ))}
      </div>
      <div>
        <Button
          look="main"
          disabled={!isComplete}
          isBusy={repair.isPending}
          onClick={() => repair.mutate({ actions: [], map: chosen })}
        >
          {t("web.doubts.use_columns")}
        </Button>
      </div>
      {repair.isError ? <Failed error={repair.error} /> : null}
    </div>
  )
}
