// Runs before the first paint, so that neither colours nor language flash; src/lib/ui.ts writes what it reads.
;(() => {
  const saved = (() => {
    try {
      return JSON.parse(localStorage.getItem("llmlora.ui") ?? "{}").state ?? {}
    } catch {
      return {}
    }
  })()
  const isDark =
    saved.theme === "dark" || (saved.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
  document.documentElement.classList.toggle("dark", isDark)
  document.documentElement.lang = saved.language ?? (navigator.language.startsWith("ja") ? "ja" : "en")
})()
