import { useQuery } from "@tanstack/react-query"
import { type Job, jobQueries } from "@/api/jobs"
import { QueryView } from "@/components/states/query-view"
import { CopyButton } from "@/components/ui/copy"
import { Listing } from "@/components/ui/listing"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { settingName } from "@/lib/setting-words"
import { type Translate, useText } from "@/lib/text"

/** Every setting of a job with where it came from, those left at their defaults folded, and the recipe that repeats it. */
export function Settings({ job }: { job: Job }) {
  const t = useText()
  const recipe = useQuery(jobQueries.recipe(job.id))
  const rows = Object.entries(job.settings).map(([name, value]) => ({ name, value, reason: job.reasons[name] }))
  const settled = rows.filter(({ reason }) => reasonOf(reason))
  const defaults = rows.filter(({ reason }) => !reasonOf(reason))
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Sheet title={t("web.job.tab.settings")}>
        <SettingTable caption={t("web.job.tab.settings")} rows={settled} />
        <details className="mt-3">
          <summary className="w-fit text-14 text-accent">
            {t("web.settings.defaults", { count: defaults.length })}
          </summary>
          <SettingTable caption={t("web.settings.defaults", { count: defaults.length })} rows={defaults} />
        </details>
      </Sheet>
      <Sheet title={t("web.settings.recipe")} aside={recipe.data ? <CopyButton text={recipe.data} /> : null}>
        <p className="mb-2 text-s text-ink-2">{t("web.settings.recipe_hint")}</p>
        <QueryView query={recipe}>{(text) => <Listing text={text} />}</QueryView>
      </Sheet>
    </div>
  )
}

const REASONS = ["recommended", "model", "set", "recipe", "preset", "training_preset", "adapter"] as const

function reasonOf(reason: string | undefined): (typeof REASONS)[number] | undefined {
  return REASONS.find((name) => name === reason)
}

interface Row {
  name: string
  value: unknown
  reason: string | undefined
}

function SettingTable({ caption, rows }: { caption: string; rows: readonly Row[] }) {
  const t = useText()
  const columns: Column<Row>[] = [
    { name: t("web.settings.name"), cell: ({ name }) => <SettingName name={name} /> },
    { name: t("web.settings.value"), cell: ({ value }) => valueWords(value, t), isNumber: true },
    { name: t("web.settings.reason"), cell: ({ reason }) => reasonWords(reason, t), isWide: true },
  ]
  return <Table caption={caption} rows={rows} keyOf={({ name }) => name} columns={columns} />
}

function reasonWords(reason: string | undefined, t: Translate): string {
  const known = reasonOf(reason)
  return known ? t(`web.settings.from.${known}`) : t("web.settings.from.default")
}

/** What the form calls a setting, and its name in recipes and commands. */
function SettingName({ name }: { name: string }) {
  const words = settingName(name, useText())
  return (
    <>
      {words === name ? null : <span className="block">{words}</span>}
      <code className="font-mono text-s text-ink-2">
        <LongName>{name}</LongName>
      </code>
    </>
  )
}

/** Returns the value of a setting in words, a dash for none. */
export function valueWords(value: unknown, t: Translate): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "–"
  if (typeof value === "boolean") return t(value ? "web.setting.on" : "web.setting.off")
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}
