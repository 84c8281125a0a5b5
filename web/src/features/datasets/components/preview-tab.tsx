import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { type Dataset, type DatasetPreview, datasetQueries, type TrainingRow } from "@/api/datasets"
import { type Action, ApiError } from "@/api/error"
import { modelQueries } from "@/api/models"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Select } from "@/components/ui/field"
import { NumberField } from "@/components/ui/number-field"
import { Figures, Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { useLanguage, useText } from "@/lib/text"
import { Pager } from "./pager"
import { TokenLegend, Tokens } from "./tokens"

/** Rows exactly as a model is trained on them: which tokens are learned, which are context, which are cut off. */
export function PreviewTab({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const known = useQuery(modelQueries.list())
  const models = known.data?.items ?? []
  const [chosen, setChosen] = useState<string | null>(null)
  const [maxLength, setMaxLength] = useState<number | null>(null)
  const [places, setPlaces] = useState([0])
  const model = chosen ?? models[0]?.name
  return (
    <div className="grid gap-4">
      <Sheet className="grid items-start gap-x-6 gap-y-3 md:grid-cols-[14rem_16rem_minmax(0,1fr)]">
        <Select
          label={t("web.new_job.base_model")}
          value={model ?? ""}
          onChange={(event) => {
            setChosen(event.target.value)
            setPlaces([0])
          }}
        >
          {models.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
        <NumberField
          label={t("web.preview.max_length")}
          help={t("web.preview.max_length_help")}
          value={maxLength}
          min={8}
          isWhole
          onValue={(value) => {
            setMaxLength(value)
            setPlaces([0])
          }}
        />
        <TokenLegend />
      </Sheet>
      <QueryView query={known} isOnDesk lines={6}>
        {() =>
          model ? (
            <Rows dataset={dataset} model={model} maxLength={maxLength} places={places} onPlaces={setPlaces} />
          ) : null
        }
      </QueryView>
    </div>
  )
}

function Rows({
  dataset,
  model,
  maxLength,
  places,
  onPlaces,
}: {
  dataset: Dataset
  model: string
  maxLength: number | null
  places: number[]
  onPlaces: (places: number[]) => void
}) {
  const t = useText()
  const preview = useQuery(datasetQueries.preview(dataset.id, { model, maxLength, cursor: places.at(-1) ?? 0 }))
  const waiting = (
    <>
      <p className="mb-3 text-14 text-ink-2">{t("web.preview.waiting")}</p>
      <Skeleton lines={6} />
    </>
  )
  return (
    <QueryView query={preview} isOnDesk skeleton={waiting}>
      {(found) => (
        <>
          {found.refusal ? <Refusal refusal={found.refusal} /> : <Sums preview={found} />}
          <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
            {found.items.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an example can become several rows
              <Row key={`${row.row} ${index}`} row={row} />
            ))}
          </div>
          <Pager before={places} next={found.next_cursor} onPlaces={onPlaces} />
        </>
      )}
    </QueryView>
  )
}

function Refusal({ refusal }: { refusal: NonNullable<DatasetPreview["refusal"]> }) {
  const word = (name: string) => String(refusal[name] ?? "")
  const action = (refusal.action ?? null) as Action | null
  const error = { status: 422, code: word("code"), detail: word("detail"), hint: word("hint"), action }
  return (
    <Sheet>
      <Failed error={new ApiError(error)} />
    </Sheet>
  )
}

function Sums({ preview }: { preview: DatasetPreview }) {
  const t = useText()
  const language = useLanguage()
  const number = (value: number) => value.toLocaleString(language)
  const share = preview.num_tokens ? Math.round((100 * preview.num_label_tokens) / preview.num_tokens) : 0
  return (
    <Sheet>
      <Figures
        items={[
          { name: t("web.preview.tokens"), value: number(preview.num_tokens) },
          { name: t("web.preview.learned"), value: number(preview.num_label_tokens), unit: `${share} %` },
          {
            name: t("web.preview.cut_rows"),
            value: number(preview.num_truncated),
            unit: t("web.preview.of_rows", { count: preview.num_rows }),
          },
          {
            name: t("web.preview.ends"),
            value: number(preview.tokens.num_end_learned),
            unit: t("web.preview.of_rows", { count: preview.num_rows }),
          },
        ]}
      />
    </Sheet>
  )
}

function Row({ row }: { row: TrainingRow }) {
  const t = useText()
  const share = row.num_tokens ? Math.round((100 * row.num_label_tokens) / row.num_tokens) : 0
  return (
    <Sheet
      title={t("web.preview.row", { row: row.row })}
      aside={
        <p className="text-right text-s text-ink-2">
          {t("web.preview.row_tokens", { count: row.num_tokens, learned: row.num_label_tokens, share })}
          {row.num_label_tokens === 0 ? <b className="block text-bad">{t("web.preview.nothing_learned")}</b> : null}
          {row.num_cut > 0 ? (
            <b className="block text-warn">{t("web.preview.cut_tokens", { count: row.num_cut })}</b>
          ) : null}
        </p>
      }
    >
      <Tokens spans={row.spans} />
    </Sheet>
  )
}
