const PART = /^[a-z0-9][a-z0-9._-]{0,72}$/

/** Tells whether Ollama takes a name, with a tag or without one. */
export function isOllamaName(text: string): boolean {
  const [name, ...tags] = text.split(":")
  return tags.length < 2 && [name, ...tags].every((part) => part !== undefined && PART.test(part))
}
