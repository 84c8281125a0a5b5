import type ja from "../../../src/llmlora/locales/ja.json"
import { useUi } from "./ui"

export type Language = "ja" | "en"
/** Every key that the page may show; the texts stand in the package's locales, shared with the command line. */
export type TextKey = Extract<
  keyof typeof ja,
  `web.${string}` | `config.${string}` | `evaluation.quality.${string}` | `evaluation.ladder.${string}`
>
export type Values = Readonly<Record<string, string | number>>
export type Translate = (key: TextKey, values?: Values) => string

/** The languages there are, each by its own name. */
export const LANGUAGES: Record<Language, string> = { ja: "日本語", en: "English" }

const LOADERS: Record<Language, () => Promise<{ default: Record<string, string> }>> = {
  ja: () => import("virtual:texts/ja"),
  en: () => import("virtual:texts/en"),
}
const loaded: Partial<Record<Language, Record<string, string>>> = {}
const speakers: Partial<Record<Language, Translate>> = {}

/** Loads the texts of a language; must be done before it is shown. */
export async function loadTexts(language: Language): Promise<void> {
  loaded[language] ??= (await LOADERS[language]()).default
}

/** Shows the page in another language, without leaving it. */
export async function switchLanguage(language: Language): Promise<void> {
  await loadTexts(language)
  document.documentElement.lang = language
  useUi.getState().setLanguage(language)
}

/** Returns the language in use: what was chosen, else the browser's, else English. */
export function currentLanguage(): Language {
  return useUi.getState().language ?? browserLanguage()
}

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en"
}

/** Returns the language in use and follows it. */
export function useLanguage(): Language {
  return useUi((state) => state.language) ?? browserLanguage()
}

/** Returns the function that words keys in the reader's language; it changes with the language. */
export function useText(): Translate {
  return textsOf(useLanguage())
}

/** Returns the function that words keys in one language. */
export function textsOf(language: Language): Translate {
  speakers[language] ??= (key, values) => fill(loaded[language]?.[key] ?? key, language, values)
  return speakers[language]
}

/**
 * Fills `{name}` in; numbers are grouped as the language does, doubled braces stand for themselves.
 *
 * `{count:example|examples}` is a number with its noun: 1 example, 2 examples.
 */
export function fill(text: string, language: Language, values: Values = {}): string {
  return text.replace(
    /\{\{|\}\}|\{(\w+)(?::([^{}|]+)\|([^{}|]+))?\}/g,
    (found, name?: string, one?: string, many?: string) => {
      if (name === undefined) return found[0] ?? ""
      const value = values[name]
      const words = typeof value === "number" ? value.toLocaleString(language) : (value ?? found)
      return one ? `${words} ${value === 1 ? one : many}` : words
    },
  )
}
