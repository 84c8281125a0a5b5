import { useQuery } from "@tanstack/react-query"
import { type Model, modelQueries } from "@/api/models"
import { FitChip } from "@/components/model/fit-chip"
import { sourceWords } from "@/components/model/source"
import { QueryView } from "@/components/states/query-view"
import { Dotted } from "@/components/ui/dotted"
import { LongName } from "@/components/ui/long-name"
import { formatCount } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** The models of this machine, each with how well it fits; those that cannot be trained are folded, with the reason. */
export function ModelPicker({ chosen, onChoose }: { chosen: string | null; onChoose: (name: string) => void }) {
  const t = useText()
  const models = useQuery(modelQueries.list())
  return (
    <>
      <h3 className="mt-4 mb-1 text-s font-normal text-ink-2">{t("web.new_job.base_model")}</h3>
      <QueryView query={models}>
        {({ items }) => {
          const others = items.filter(({ can_train }) => !can_train)
          return (
            <div className="grid gap-2">
              {items
                .filter(({ can_train }) => can_train)
                .map((model) => (
                  <ModelButton
                    key={model.name}
                    model={model}
                    isChosen={model.name === chosen}
                    onChoose={() => onChoose(model.name)}
                  />
                ))}
              {others.length > 0 ? <Others models={others} /> : null}
            </div>
          )
        }}
      </QueryView>
    </>
  )
}

function ModelButton({ model, isChosen, onChoose }: { model: Model; isChosen: boolean; onChoose: () => void }) {
  const t = useText()
  const language = useLanguage()
  const about = [
    sourceWords(model, t),
    model.num_parameters === null
      ? null
      : t("web.new_job.parameters", { size: formatCount(model.num_parameters, language) }),
    model.license ?? t("web.new_job.no_license"),
    model.can_export ? null : t("web.models.not_exportable"),
  ]
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-medium border px-3 py-2 text-left hover:bg-sunk aria-pressed:border-accent aria-pressed:shadow-[inset_0_0_0_1px_var(--accent)]"
    >
      <b className="md:w-40">
        <LongName>{model.name}</LongName>
      </b>
      <small className="min-w-0 flex-1 text-s text-ink-2 max-md:order-last max-md:basis-full">
        <Dotted words={about} />
      </small>
      <FitChip model={model} />
    </button>
  )
}

function Others({ models }: { models: readonly Model[] }) {
  const t = useText()
  return (
    <details className="text-14">
      <summary className="w-fit text-accent">{t("web.new_job.other_models", { count: models.length })}</summary>
      <ul className="mt-2 grid gap-2">
        {models.map(({ name, why_not: why, install }) => (
          <li key={name}>
            <b>
              <LongName>{name}</LongName>
            </b>
            <span className="block text-s text-ink-2">{why ?? (install ? t("web.models.not_installed") : null)}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
