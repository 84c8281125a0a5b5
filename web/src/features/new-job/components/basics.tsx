import type { UseQueryResult } from "@tanstack/react-query"
import type { DatasetSummary } from "@/api/datasets"
import type { Model } from "@/api/models"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Select, TextField } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { formatCount } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import type { Wish } from "../wish"

interface List<Item> {
  items: Item[]
}

/** The name of the job, its data and its model. */
export function Basics({
  wish,
  onWish,
  datasets,
  models,
}: {
  wish: Wish
  onWish: (change: Partial<Wish>) => void
  datasets: UseQueryResult<List<DatasetSummary>, Error>
  models: UseQueryResult<List<Model>, Error>
}) {
  const t = useText()
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
          empty={<Empty words={t("web.new_job.no_dataset")} />}
        >
          {({ items }) => (
            <Select
              label={t("web.new_job.dataset")}
              value={wish.dataset ?? ""}
              onChange={(event) => onWish({ dataset: event.target.value })}
            >
              {items.map(({ id, name, num_examples: count, ok }) => (
                <option key={id} value={id} disabled={!ok}>
                  {t("web.new_job.dataset_option", { name, count })}
                </option>
              ))}
            </Select>
          )}
        </QueryView>
      </div>
      <h3 className="mt-4 mb-1 text-s font-normal text-ink-2">{t("web.new_job.base_model")}</h3>
      <QueryView query={models}>
        {({ items }) => (
          <div className="grid gap-2">
            {items.map((model) => (
              <ModelButton
                key={model.name}
                model={model}
                isChosen={model.name === wish.base}
                onChoose={() => onWish({ base: model.name })}
              />
            ))}
          </div>
        )}
      </QueryView>
    </Sheet>
  )
}

const SOURCES = {
  bundled: "web.source.bundled",
  folder: "web.source.folder",
  gguf: "web.source.gguf",
  ollama: "web.source.ollama",
  package: "web.source.package",
  hub: "web.source.hub",
} as const

function ModelButton({ model, isChosen, onChoose }: { model: Model; isChosen: boolean; onChoose: () => void }) {
  const t = useText()
  const language = useLanguage()
  const about = [
    t(SOURCES[model.kind as keyof typeof SOURCES]),
    model.num_parameters === null ? null : parameterWords(model.num_parameters),
    model.license ?? t("web.new_job.no_license"),
  ]
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className="grid gap-x-3 rounded-medium border px-3 py-2 text-left hover:bg-sunk aria-pressed:border-accent aria-pressed:shadow-[inset_0_0_0_1px_var(--accent)] md:grid-cols-[180px_minmax(0,1fr)]"
    >
      <b>{model.name}</b>
      <small className="self-center text-s text-ink-2">
        {about.filter((word) => word !== null).join(t("web.dot"))}
      </small>
    </button>
  )

  function parameterWords(count: number): string {
    const size = formatCount(count, language)
    return t("web.new_job.parameters", { size })
  }
}
