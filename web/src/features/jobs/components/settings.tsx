import { useQuery } from "@tanstack/react-query"
import { type Job, jobQueries } from "@/api/jobs"
import { QueryView } from "@/components/states/query-view"
import { CopyButton } from "@/components/ui/copy"
import { Sheet } from "@/components/ui/sheet"
import { Table } from "@/components/ui/table"
import { settingName } from "@/lib/setting-words"
import { type Translate, useText } from "@/lib/text"

/** Every setting of a job with where it came from, and the recipe that repeats it. */
export function Settings({ job }: { job: Job }) {
  const t = useText()
  const recipe = useQuery(jobQueries.recipe(job.id))
  const rows = Object.entries(job.settings).map(([name, value]) => ({ name, value, reason: job.reasons[name] }))
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Sheet title={t("web.job.tab.settings")}>
        <Table
          caption={t("web.job.tab.settings")}
          rows={rows}
          keyOf={({ name }) => name}
          columns={[
            { name: t("web.settings.name"), cell: ({ name }) => <SettingName name={name} /> },
            { name: t("web.settings.value"), cell: ({ value }) => valueWords(value, t), isNumber: true },
            { name: t("web.settings.reason"), cell: ({ reason }) => reasonWords(reason, t), isWide: true },
          ]}
        />
      </Sheet>
      <Sheet title={t("web.settings.recipe")} aside={recipe.data ? <CopyButton text={recipe.data} /> : null}>
        <p className="mb-2 text-s text-ink-2">{t("web.settings.recipe_hint")}</p>
        <QueryView query={recipe}>
          {(text) => (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
            <pre tabIndex={0} className="max-h-130 overflow-auto rounded-medium bg-sunk p-3 font-mono text-xs">
              {text}
            </pre>
          )}
        </QueryView>
      </Sheet>
    </div>
  )
}

const REASONS = ["recommended", "model", "set", "recipe", "preset", "training_preset", "adapter"] as const

function reasonWords(reason: string | undefined, t: Translate): string {
  const known = REASONS.find((name) => name === reason)
  return known ? t(`web.settings.from.${known}`) : t("web.settings.from.default")
}

/** What the form calls a setting, and its name in recipes and commands. */
function SettingName({ name }: { name: string }) {
  const words = settingName(name, useText())
  return (
    <>
      {words === name ? null : <span className="block">{words}</span>}
      <code className="font-mono text-s text-ink-2">{name}</code>
    </>
  )
}

function valueWords(value: unknown, t: Translate): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "–"
  if (typeof value === "boolean") return t(value ? "web.setting.on" : "web.setting.off")
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}
