import { create } from "zustand"
import { persist } from "zustand/middleware"

/** How answers are chosen; the same for every column. */
export interface Options {
  temperature: number
  top_p: number
  max_length: number
  repetition_penalty: number
  /** null takes another one each time. */
  seed: number | null
  system: string
}

export const DEFAULTS: Options = {
  temperature: 0.7,
  top_p: 0.9,
  max_length: 100,
  repetition_penalty: 1.1,
  seed: null,
  system: "",
}

interface Remembered {
  options: Options
  isMarking: boolean
}

/** What this browser remembers of how it asks, and whether differences are marked. */
export const useOptions = create<Remembered>()(
  persist((): Remembered => ({ options: DEFAULTS, isMarking: true }), { name: "llmlora.chat-options" }),
)

/** Changes some of the options; null gives one its default again. */
export function changeOptions(change: { [Name in keyof Options]?: Options[Name] | null }): void {
  useOptions.setState(({ options }) => {
    const wanted = Object.entries(change).map(([name, value]) => [name, value ?? DEFAULTS[name as keyof Options]])
    return { options: { ...options, ...Object.fromEntries(wanted) } }
  })
}
