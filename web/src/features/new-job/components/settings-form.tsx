import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { type Plan, type Setting, trainingQueries } from "@/api/training"
import { QueryView } from "@/components/states/query-view"
import { INPUT } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { type TextKey, type Translate, useText } from "@/lib/text"
import { useUi } from "@/lib/ui"
import { advancedFields, LORA_FIELDS, TRAINING_FIELDS } from "../form-fields"
import { type Wish, withSetting } from "../wish"
import { Chosen } from "./chosen"
import { Presets } from "./presets"
import { SettingField } from "./setting-field"

interface Form {
  wish: Wish
  onWish: (wish: Wish) => void
  plan: Plan | undefined
}

/** Presets and settings: the usual ones open, all others folded and searchable; or presets alone. */
export function SettingsForm(form: Form) {
  const t = useText()
  const { wish, onWish } = form
  const isSimple = useUi((state) => state.isSimple)
  const schema = useQuery(trainingQueries.schema())
  const presets = useQuery(trainingQueries.presets()).data?.items ?? []
  const fields = (names: readonly string[]) =>
    isSimple ? null : (
      <QueryView query={schema} lines={4}>
        {(settings) => <Fields {...form} names={names} schema={settings} />}
      </QueryView>
    )
  return (
    <div className="grid min-w-0 gap-4 max-lg:order-2">
      <Sheet title={t("web.new_job.lora")}>
        <Presets
          presets={presets}
          kind="preset"
          value={wish.preset}
          onValue={(preset) => onWish({ ...wish, preset })}
        />
        {fields(LORA_FIELDS)}
      </Sheet>
      <Sheet title={t("web.new_job.training")}>
        <Presets
          presets={presets}
          kind="training_preset"
          value={wish.trainingPreset}
          onValue={(trainingPreset) => onWish({ ...wish, trainingPreset })}
        />
        {schema.data || schema.isPending ? fields(TRAINING_FIELDS) : null /* the sheet above says why there are none */}
        {schema.data && !isSimple ? <Advanced {...form} schema={schema.data} /> : null}
        {isSimple ? <Chosen wish={wish} onWish={onWish} /> : null}
      </Sheet>
    </div>
  )
}

function Advanced({ schema, ...form }: Form & { schema: Readonly<Record<string, Setting>> }) {
  const t = useText()
  const [search, setSearch] = useState("")
  const names = advancedFields(schema)
  const numChosen = names.filter((name) => name in form.wish.settings).length
  return (
    <details className="mt-4">
      <summary className="w-fit text-14 text-accent">
        {t("web.new_job.advanced", { count: names.length })}
        {numChosen > 0 ? <span className="text-ink-2">{t("web.new_job.changed", { count: numChosen })}</span> : null}
      </summary>
      <input
        type="search"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
        aria-label={t("web.new_job.search")}
        placeholder={t("web.new_job.search")}
        className={`${INPUT} my-3 max-w-80`}
      />
      <Fields {...form} schema={schema} names={names.filter((name) => isFound(name, search, t))} />
    </details>
  )
}

function isFound(name: string, search: string, t: Translate): boolean {
  const words = `${name} ${t(`web.field.${name}` as TextKey)} ${t(`config.${name}` as TextKey)}`
  return words.toLowerCase().includes(search.normalize("NFKC").toLowerCase())
}

function Fields({
  wish,
  onWish,
  plan,
  names,
  schema,
}: Form & { names: readonly string[]; schema: Readonly<Record<string, Setting>> }) {
  return (
    <div className="grid gap-4 md:grid-cols-2">
      {names.map((name) => {
        const setting = schema[name]
        const isChosen = name in wish.settings
        const settled = plan?.settings[name] ?? setting?.default
        return setting ? (
          <SettingField
            key={name}
            name={name}
            setting={setting}
            value={isChosen ? wish.settings[name] : settled}
            isChosen={isChosen}
            onChange={(value) => onWish(withSetting(wish, name, value))}
            error={plan?.problems.find(({ field }) => field === name || field === `settings.${name}`)?.detail}
          />
        ) : null
      })}
    </div>
  )
}
