import type { ChatModel } from "@/api/chat"
import { MOST_COLUMNS } from "@/api/chat"
import { Button } from "@/components/ui/button"
import { Dotted } from "@/components/ui/dotted"
import { INPUT } from "@/components/ui/field"
import { Icon } from "@/components/ui/icon"
import { formatBytes } from "@/lib/format"
import { type TextKey, useLanguage, useText } from "@/lib/text"
import { columnsClass } from "../columns"
import { modelName } from "../names"

const KINDS: readonly [ChatModel["kind"], TextKey][] = [
  ["bundled", "web.chat.kind.bundled"],
  ["job", "web.chat.kind.job"],
  ["base", "web.chat.kind.base"],
  ["export", "web.chat.kind.export"],
]

/** Which model answers in each column; one more can be added, up to three. */
export function ColumnHeads({
  models,
  chosen,
  onChoose,
}: {
  models: readonly ChatModel[]
  chosen: readonly string[]
  onChoose: (chosen: readonly string[]) => void
}) {
  const t = useText()
  const next = models.find(({ id }) => !chosen.includes(id))
  return (
    <div className="mb-3 border-b pb-3">
      <div className={`grid gap-x-6 gap-y-2 ${columnsClass(chosen.length)}`}>
        {chosen.map((id, place) => (
          <div key={id} className="min-w-0">
            <div className="flex gap-1">
              <ModelSelect
                label={t("web.chat.column", { number: place + 1 })}
                {...{ models, chosen, id }}
                onChoose={(model) => onChoose(chosen.with(place, model))}
              />
              {chosen.length > 1 ? (
                <Button
                  look="quiet"
                  className="px-2"
                  aria-label={t("web.chat.remove_column", { number: place + 1 })}
                  onClick={() => onChoose(chosen.filter((other) => other !== id))}
                >
                  <Icon name="close" size={16} />
                </Button>
              ) : null}
            </div>
            <About model={models.find((model) => model.id === id)} />
          </div>
        ))}
      </div>
      {chosen.length < MOST_COLUMNS && next ? (
        <Button look="accent" className="mt-1 -ml-3.5" onClick={() => onChoose([...chosen, next.id])}>
          {t("web.chat.add_column")}
        </Button>
      ) : null}
    </div>
  )
}

function ModelSelect({
  label,
  models,
  chosen,
  id,
  onChoose,
}: {
  label: string
  models: readonly ChatModel[]
  chosen: readonly string[]
  id: string
  onChoose: (id: string) => void
}) {
  const t = useText()
  return (
    <select
      aria-label={label}
      className={`${INPUT} min-w-0 font-semibold`}
      value={id}
      onChange={(event) => onChoose(event.target.value)}
    >
      {models.some((model) => model.id === id) ? null : <option value={id}>{t("web.chat.gone", { name: id })}</option>}
      {KINDS.map(([kind, name]) => {
        const some = models.filter((model) => model.kind === kind)
        return some.length === 0 ? null : (
          <optgroup key={kind} label={t(name)}>
            {some.map((model) => (
              <option key={model.id} value={model.id} disabled={model.id !== id && chosen.includes(model.id)}>
                {modelName(model, model.id, t)}
              </option>
            ))}
          </optgroup>
        )
      })}
    </select>
  )
}

function About({ model }: { model: ChatModel | undefined }) {
  const t = useText()
  const language = useLanguage()
  if (!model) return null
  const words = [
    model.base_model ? t("web.chat.base_of", { name: model.base_model }) : t("web.chat.kind.bundled"),
    model.memory_bytes === null ? null : t("web.chat.loaded", { size: formatBytes(model.memory_bytes, language) }),
  ]
  const shown = model.kind === "export" && !model.base_model ? words.slice(1) : words
  return (
    <p className="px-0.5 text-xs text-ink-3">
      <Dotted words={shown} />
    </p>
  )
}
