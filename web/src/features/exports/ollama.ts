const OWN = "my-model" // where nothing of a name can be part of a name in Ollama

/** Returns a name for Ollama, where names are ASCII: what can be kept of a name. */
export function ollamaName(name: string): string {
  const kept = name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-._]+|[-._]+$/g, "")
  return /[a-z]/.test(kept) ? kept.slice(0, 60) : OWN
}

/** Tells whether Ollama takes a name. */
export function isOllamaName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,79}$/i.test(name)
}
