import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Plugin } from "vite"

/** What the page needs of the package's texts; errors come worded from the server. */
export const PAGE_PREFIXES = ["web.", "config.", "evaluation.quality.", "evaluation.ladder."]
const PREFIX = "virtual:texts/"

/** Serves `virtual:texts/<language>`: the part of the package's locales that the page shows. */
export function texts(folder: string): Plugin {
  return {
    name: "llmlora-texts",
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return
      const file = resolve(folder, `${id.slice(PREFIX.length + 1)}.json`)
      this.addWatchFile(file)
      const all: Record<string, string> = JSON.parse(readFileSync(file, "utf8"))
      const shown = Object.entries(all).filter(([key]) => PAGE_PREFIXES.some((prefix) => key.startsWith(prefix)))
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(Object.fromEntries(shown)))})`
    },
  }
}
