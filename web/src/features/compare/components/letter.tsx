const LETTERS = ["A", "B", "C", "D"] as const

/** Returns the letter that stands for a job where its name is too long. */
export function letterOf(position: number): string {
  return LETTERS[position] ?? "?"
}

/** The letter of a job, as a small mark. */
export function Letter({ position }: { position: number }) {
  return (
    <b className="inline-block min-w-6 flex-none rounded-small bg-sunk px-1.5 text-center text-s">
      {letterOf(position)}
    </b>
  )
}
