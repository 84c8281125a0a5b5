import type { UseQueryResult } from "@tanstack/react-query"
import type { ReactNode } from "react"
import type { Plan } from "@/api/training"
import { NextStep } from "@/components/next/next-step"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Progress } from "@/components/ui/progress"
import { Facts, Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { formatBytes } from "@/lib/format"
import { minutesWords } from "@/lib/minutes-words"
import { settingWords } from "@/lib/setting-words"
import { type Language, type TextKey, type Translate, useLanguage, useText } from "@/lib/text"
import { showSetting } from "../show-setting"
import { settingOf } from "../wish"

const ID = "plan"

/** What will happen before it costs anything: tokens, steps, minutes, memory, disk, licence, and what is wrong. */
export function PlanCard({
  plan,
  onChange,
  children,
}: {
  plan: UseQueryResult<Plan, Error>
  onChange: (settings: Record<string, unknown>) => void
  children: ReactNode
}) {
  const t = useText()
  return (
    <Sheet id={ID} title={t("web.plan.title")} className="scroll-mt-17 max-lg:order-1 lg:sticky lg:top-17">
      {plan.isError ? <Failed error={plan.error} onRetry={() => plan.refetch()} /> : null}
      {plan.data ? <PlanFacts plan={plan.data} onChange={onChange} /> : null}
      {plan.isFetching && !plan.data ? (
        <div aria-busy="true">
          <Skeleton lines={7} />
        </div>
      ) : null}
      {!plan.data && !plan.isFetching && !plan.isError ? (
        <p className="text-14 text-ink-2">{t("web.plan.nothing_chosen")}</p>
      ) : null}
      <div className="mt-4 grid gap-2">{children}</div>
    </Sheet>
  )
}

/** On narrow screens the card stands above the settings: its time in one line that stays in sight, and the way back. */
export function PlanBar({ plan, lack }: { plan: Plan | undefined; lack: string | null }) {
  const t = useText()
  const language = useLanguage()
  const known = plan?.minutes ? t("web.plan.estimated", { time: minutesWords(plan.minutes, t, language) }) : null
  return (
    <div className="sticky bottom-15 z-5 order-3 flex items-center justify-between gap-3 rounded-large border border-line-strong bg-sheet py-2 pr-2 pl-4 shadow-lg md:bottom-4 lg:hidden">
      <span className="min-w-0 text-14">{lack ?? known}</span>
      <Button look="main" onClick={() => document.getElementById(ID)?.scrollIntoView()}>
        {t("web.plan.go")}
      </Button>
    </div>
  )
}

function PlanFacts({ plan, onChange }: { plan: Plan; onChange: (settings: Record<string, unknown>) => void }) {
  const t = useText()
  const language = useLanguage()
  const { memory, change } = plan
  return (
    <div className="grid gap-3">
      <Facts items={factsOf(plan, t, language)} />
      {memory ? (
        <Progress label={t("web.plan.memory")} percent={(100 * memory.needed_bytes) / memory.free_bytes} isSlim />
      ) : null}
      {plan.problems.map((problem) => (
        <ProblemNote key={problem.code + problem.field} problem={problem} />
      ))}
      {change ? (
        <Button onClick={() => onChange(change)}>{t("web.plan.apply", { settings: settingWords(change, t) })}</Button>
      ) : null}
      {plan.warnings.map((warning) => (
        <div key={warning.code} className="grid justify-items-start gap-1 border-l-3 border-warn pl-3 text-s">
          <p className="whitespace-pre-line">{warning.text}</p>
          {Object.keys(warning.settings).length > 0 ? (
            <Button onClick={() => onChange(warning.settings)}>
              {t("web.plan.apply", { settings: settingWords(warning.settings, t) })}
            </Button>
          ) : null}
        </div>
      ))}
    </div>
  )
}

/** One thing that is wrong, with the way to its field. */
function ProblemNote({ problem: { field, detail, hint, action } }: { problem: Plan["problems"][number] }) {
  const t = useText()
  const setting = settingOf(field)
  return (
    <div role="alert" className="grid justify-items-start gap-1 border-l-3 border-bad pl-3 text-14">
      <p>
        {detail}
        <span className="block text-s text-ink-2">{hint}</span>
      </p>
      <NextStep action={action} />
      {setting ? (
        <Button onClick={() => showSetting(setting)}>
          {t("web.plan.to_field", { name: t(`web.field.${setting}` as TextKey) })}
        </Button>
      ) : null}
    </div>
  )
}

function factsOf(plan: Plan, t: Translate, language: Language) {
  const size = (bytes: number) => formatBytes(bytes, language)
  const { tokens, learned_tokens: learned, minutes, memory, disk } = plan
  const shown: [string, string | null][] = [
    [
      t("web.plan.learned"),
      learned === null || !tokens
        ? null
        : t("web.plan.learned_of", { learned, percent: Math.round((100 * learned) / tokens) }),
    ],
    [
      t("web.plan.steps"),
      plan.steps === null ? null : t("web.plan.steps_of", { steps: plan.steps, batch: plan.effective_batch ?? 1 }),
    ],
    [t("web.plan.time"), minutes ? t("web.plan.estimated", { time: minutesWords(minutes, t, language) }) : null],
    [t("web.plan.memory"), memory ? `${size(memory.needed_bytes)} / ${size(memory.free_bytes)}` : null],
    [t("web.plan.disk"), disk ? `${size(disk.needed_bytes)} / ${size(disk.free_bytes)}` : null],
    [
      t("web.plan.files"),
      plan.steps === null ? null : t(plan.settings.method === "full" ? "web.plan.whole_model" : "web.plan.adapter"),
    ],
    [t("web.plan.truncated"), plan.rows_truncated === null ? null : String(plan.rows_truncated)],
    [t("web.plan.license"), plan.license],
  ]
  return shown.map(([name, value]) => ({ name, value: value ?? "–" }))
}
