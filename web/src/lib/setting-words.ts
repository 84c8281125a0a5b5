import type { TextKey, Translate } from "./text"

const FIELD = "web.field."

/** Returns settings in words, such as "rank 8"; one that is left out goes back to what is recommended. */
export function settingWords(settings: Readonly<Record<string, unknown>>, t: Translate): string {
  return Object.entries(settings)
    .map(([name, value]) => t("web.setting.of", { name: settingName(name, t), value: shown(value, t) }))
    .join(t("web.dot"))
}

/** Returns what the form calls a setting, else the setting's own name. */
export function settingName(name: string, t: Translate): string {
  const key = `${FIELD}${name}` as TextKey
  const words = t(key)
  return words === key ? name : words
}

function shown(value: unknown, t: Translate): string {
  if (value === null) return t("web.setting.recommended")
  if (typeof value === "boolean") return t(value ? "web.setting.on" : "web.setting.off")
  return String(value)
}
