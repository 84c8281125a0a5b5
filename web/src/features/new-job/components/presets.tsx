import type { Preset } from "@/api/training"
import { settingWords } from "@/lib/setting-words"
import { type TextKey, useText } from "@/lib/text"

/** Presets of one kind side by side; what the chosen one changes is said below. */
export function Presets({
  presets,
  kind,
  value,
  onValue,
}: {
  presets: readonly Preset[]
  kind: Preset["kind"]
  value: string
  onValue: (name: string) => void
}) {
  const t = useText()
  const offered = presets.filter((preset) => preset.kind === kind)
  const chosen = offered.find(({ name }) => name === value)
  const words = settingWords(chosen?.settings ?? {}, t) || (chosen ? t("web.preset.fitting") : "")
  return (
    <div className="mb-3">
      <fieldset className="grid grid-cols-[repeat(auto-fill,minmax(140px,1fr))] gap-2">
        <legend className="mb-1 text-s text-ink-2">{t("web.preset.legend")}</legend>
        {offered.map(({ name }) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === value}
            onClick={() => onValue(name)}
            className="grid rounded-medium border px-2.5 py-2 text-left hover:bg-sunk aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:shadow-[inset_0_0_0_1px_var(--accent)]"
          >
            <b className="text-14">{t(`web.preset.${kind}.${name}` as TextKey)}</b>
          </button>
        ))}
      </fieldset>
      <p className="mt-1 min-h-4.5 text-xs text-ink-3">{words}</p>
    </div>
  )
}
