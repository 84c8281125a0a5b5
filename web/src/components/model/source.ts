import type { TextKey, Translate } from "@/lib/text"

const SOURCES: Readonly<Record<string, TextKey>> = {
  bundled: "web.source.bundled",
  folder: "web.source.folder",
  gguf: "web.source.gguf",
  ollama: "web.source.ollama",
  package: "web.source.package",
  hub: "web.source.hub",
}

/** Returns the words for where a model is from. */
export function sourceWords({ kind }: { kind: string }, t: Translate): string {
  const known = SOURCES[kind]
  return known ? t(known) : kind
}
