import { create } from "zustand"
import { persist } from "zustand/middleware"

export type Theme = "light" | "dark" | "system"

interface Ui {
  theme: Theme
  language: "ja" | "en" | null
  /** Whether the form of a new job shows presets alone. */
  isSimple: boolean
  /** Whether the way of a newcomer was gone to its end, or closed. */
  isGuided: boolean
  setTheme: (theme: Theme) => void
  setLanguage: (language: "ja" | "en") => void
  setIsSimple: (isSimple: boolean) => void
  endGuide: () => void
}

/** What this browser remembers of how the page looks; public/theme.js reads it before the first paint. */
export const useUi = create<Ui>()(
  persist(
    (set) => ({
      theme: "system",
      language: null,
      isSimple: false,
      isGuided: false,
      setTheme: (theme) => {
        set({ theme })
        showTheme(theme)
      },
      setLanguage: (language) => set({ language }),
      setIsSimple: (isSimple) => set({ isSimple }),
      endGuide: () => set({ isGuided: true }),
    }),
    { name: "llmlora.ui" },
  ),
)

const prefersDark = () => matchMedia("(prefers-color-scheme: dark)")

/** Tells whether the page is dark now. */
export function isDark(theme: Theme): boolean {
  return theme === "dark" || (theme === "system" && prefersDark().matches)
}

function showTheme(theme: Theme): void {
  document.documentElement.classList.toggle("dark", isDark(theme))
}

/** Follows the system's theme as long as none is chosen. */
export function followSystemTheme(): void {
  prefersDark().addEventListener("change", () => showTheme(useUi.getState().theme))
}
