import type { ComponentProps } from "react"

type Look = "plain" | "main" | "quiet" | "accent" | "danger"

const BASE =
  "inline-flex items-center justify-center gap-2 rounded-medium border py-1.5 text-14 min-h-9 whitespace-nowrap transition-colors disabled:opacity-55"
const LOOKS: Record<Look, string> = {
  plain: "border-line-strong bg-sheet text-ink hover:bg-sunk",
  main: "border-transparent bg-accent text-accent-ink font-semibold hover:brightness-110",
  quiet: "border-transparent bg-transparent text-ink-2 hover:bg-sunk hover:text-ink",
  accent: "border-transparent bg-transparent text-accent hover:bg-sunk",
  danger: "border-transparent bg-bad-soft text-bad font-semibold hover:brightness-95",
}

/** The classes of a button whose words come from data or settings: where its place is narrow, they take several lines. */
export const LONG_WORDS = "max-w-full whitespace-normal! text-left"

/** Returns the classes of a button, for links that look like one. */
export function buttonClass(look: Look = "plain", more = ""): string {
  const room = /\bpx-/.test(more) ? "" : "px-3.5" // of two classes for the same the order in `more` does not decide
  return `${BASE} ${room} ${LOOKS[look]} ${more}`
}

/** A button; `isBusy` keeps its width and its focus while it waits. */
export function Button({
  look = "plain",
  isBusy = false,
  className = "",
  onClick,
  ...rest
}: ComponentProps<"button"> & { look?: Look; isBusy?: boolean }) {
  return (
    <button
      type="button"
      aria-busy={isBusy || undefined}
      aria-disabled={isBusy || undefined}
      className={buttonClass(look, `${isBusy ? "opacity-55" : ""} ${className}`)}
      onClick={isBusy ? undefined : onClick}
      {...rest}
    />
  )
}
