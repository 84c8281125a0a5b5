const CLASSES = ["", "", "md:grid-cols-2", "md:grid-cols-3"] as const

/** Returns the classes of a grid with one column per model; on phones they stand below each other. */
export function columnsClass(count: number): string {
  return CLASSES[count] ?? ""
}
