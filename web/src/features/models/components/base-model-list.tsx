import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type Model, modelQueries } from "@/api/models"
import { FitChip } from "@/components/model/fit-chip"
import { sourceWords } from "@/components/model/source"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { CopyCommand } from "@/components/ui/copy"
import { Icon } from "@/components/ui/icon"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { formatBytes, formatCount } from "@/lib/format"
import { type TextKey, useLanguage, useText } from "@/lib/text"
import { foundModels } from "../search"
import { CheckName } from "./check-name"

/** Base models of all sources, with what can be done with each and, where something cannot, why. */
export function BaseModelList({ search }: { search: string }) {
  const t = useText()
  const models = useQuery(modelQueries.list())
  return (
    <Sheet>
      <QueryView query={models} lines={6}>
        {({ items }) => {
          const found = foundModels(items, search)
          return (
            <>
              {found.length === 0 ? <p className="text-14 text-ink-2">{t("web.models.none_found")}</p> : null}
              <ul className="divide-y">
                {found.map((model) => (
                  <BaseModel key={model.name} model={model} />
                ))}
              </ul>
              <CheckName key={search} name={search.trim()} known={items} />
            </>
          )
        }}
      </QueryView>
    </Sheet>
  )
}

function BaseModel({ model }: { model: Model }) {
  const t = useText()
  return (
    <li className="grid gap-x-6 gap-y-2 py-4 first:pt-0 last:pb-0 md:grid-cols-[minmax(0,1fr)_auto]">
      <div className="min-w-0">
        <h2 className="flex flex-wrap items-baseline gap-x-2">
          <LongName>{model.name}</LongName>
          <span className="text-s font-normal text-ink-2">{sourceWords(model, t)}</span>
        </h2>
        <ModelFacts model={model} />
        <Verdicts model={model} />
      </div>
      <div className="flex flex-wrap items-start gap-2 max-md:flex-row-reverse max-md:justify-end">
        {model.kind === "bundled" ? (
          <Link to="/chat" search={{ models: model.name }} className={buttonClass("quiet")}>
            {t("web.models.chat")}
          </Link>
        ) : null}
        {model.can_train ? (
          <Link to="/jobs/new" search={{ base: model.name }} className={buttonClass()}>
            {t("web.models.train")}
          </Link>
        ) : null}
      </div>
      {model.install ? (
        <div className="md:col-span-2">
          <CopyCommand command={model.install} label={t("web.models.install")} />
        </div>
      ) : null}
    </li>
  )
}

function ModelFacts({ model }: { model: Model }) {
  const t = useText()
  const language = useLanguage()
  const { num_parameters, context_length, num_bytes, dtype, license } = model
  const facts: readonly [TextKey, string | null][] = [
    ["web.models.parameters", num_parameters === null ? null : formatCount(num_parameters, language)],
    ["web.models.context", context_length === null ? null : t("web.models.context_value", { count: context_length })],
    ["web.models.size", num_bytes === null ? null : formatBytes(num_bytes, language)],
    ["web.models.quantization", dtype],
    ["web.models.license", license ?? t("web.models.no_license")],
  ]
  return (
    <dl className="mt-1 flex flex-wrap gap-x-5 gap-y-1 text-14">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name}>
            <dt className="text-xs text-ink-3">{t(name)}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

function Verdicts({ model }: { model: Model }) {
  const t = useText()
  const { can_train, can_export, install, why_not } = model
  const isThere = install === null
  return (
    <div className="mt-1.5 grid gap-0.5 text-s">
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1">
        {isThere ? (
          <Verdict isGood={can_train} words={t(can_train ? "web.models.trainable" : "web.models.not_trainable")} />
        ) : (
          <Verdict isGood={false} words={t("web.models.not_installed")} />
        )}
        {isThere ? (
          <Verdict isGood={can_export} words={t(can_export ? "web.models.exportable" : "web.models.not_exportable")} />
        ) : null}
        {can_train ? <FitChip model={model} /> : null}
      </p>
      {why_not ? <p className="text-ink-2">{why_not}</p> : null}
    </div>
  )
}

function Verdict({ isGood, words }: { isGood: boolean; words: string }) {
  return (
    <span className={`inline-flex items-center gap-1 ${isGood ? "text-good" : "text-warn"}`}>
      <Icon name={isGood ? "check" : "warning"} size={14} />
      {words}
    </span>
  )
}
