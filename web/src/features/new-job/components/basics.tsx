import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { type DatasetSummary, datasetQueries } from "@/api/datasets"
import { TrySample } from "@/components/next/try-sample"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Select, TextField } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { useUi } from "@/lib/ui"
import type { Wish } from "../wish"
import { EarlierData } from "./earlier-data"
import { ModelPicker } from "./model-picker"

/** The name of the job, its data and its model. */
export function Basics({ wish, onWish }: { wish: Wish; onWish: (change: Partial<Wish>) => void }) {
  const t = useText()
  const datasets = useQuery(datasetQueries.list())
  const isSimple = useUi((state) => state.isSimple)
  return (
    <Sheet title={t("web.new_job.basics")}>
      <div className="grid gap-4 md:grid-cols-2">
        <TextField
          label={t("web.new_job.name")}
          value={wish.name}
          placeholder={datasets.data?.items.find(({ id }) => id === wish.dataset)?.name}
          onChange={(event) => onWish({ name: event.target.value })}
        />
        <QueryView
          query={datasets}
          isEmpty={({ items }) => items.length === 0}
          empty={
            <Empty words={t("web.new_job.no_dataset")}>
              <TrySample />
              <Link to="/datasets" className={buttonClass()}>
                {t("web.checklist.own_data")}
              </Link>
            </Empty>
          }
        >
          {({ items }) => (
            <>
              <DatasetSelect
                label={t("web.new_job.dataset")}
                datasets={items}
                value={wish.dataset}
                onValue={(dataset) => onWish({ dataset })}
              >
                {wish.dataset === null ? <option value="">{t("web.new_job.choose")}</option> : null}
              </DatasetSelect>
              <DatasetSelect
                label={t("web.new_job.eval_dataset")}
                help={t("web.new_job.eval_dataset_help")}
                datasets={items.filter(({ id }) => id !== wish.dataset)}
                value={wish.evalDataset}
                onValue={(evalDataset) => onWish({ evalDataset })}
              >
                <option value="">{t("web.new_job.no_eval_dataset")}</option>
              </DatasetSelect>
              {isSimple && wish.replay === null ? null : (
                <EarlierData
                  datasets={items.filter(({ id }) => id !== wish.dataset)}
                  replay={wish.replay}
                  onReplay={(replay) => onWish({ replay })}
                />
              )}
            </>
          )}
        </QueryView>
      </div>
      <ModelPicker chosen={wish.base} onChoose={(base) => onWish({ base })} />
    </Sheet>
  )
}

function DatasetSelect({
  datasets,
  value,
  onValue,
  children,
  ...words
}: {
  label: string
  help?: string
  datasets: readonly DatasetSummary[]
  value: string | null
  onValue: (id: string | null) => void
  children: ReactNode
}) {
  const t = useText()
  return (
    <Select {...words} value={value ?? ""} onChange={(event) => onValue(event.target.value || null)}>
      {children}
      {datasets.map(({ id, name, num_examples: count, ok }) => (
        <option key={id} value={id} disabled={!ok}>
          {t("web.new_job.dataset_option", { name, count })}
        </option>
      ))}
    </Select>
  )
}
