import type { Span } from "@/api/datasets"
import { type TextKey, useText } from "@/lib/text"

const LOOKS: Record<Span["kind"], string> = {
  learned: "border-b-2 border-learn-line bg-learn",
  context: "",
  masked: "bg-sunk text-ink-2 line-through",
  special: "rounded-small border border-line-strong px-1 text-xs text-ink-2",
  cut: "bg-[repeating-linear-gradient(135deg,transparent_0_4px,var(--line-strong)_4px_5px)] text-ink-3",
  bytes: "border-b-2 border-dotted border-warn",
}
const NAMES: Record<Span["kind"], TextKey> = {
  learned: "web.tokens.learned",
  context: "web.tokens.context",
  masked: "web.tokens.masked",
  special: "web.tokens.special",
  cut: "web.tokens.cut",
  bytes: "web.tokens.bytes",
}

/** The tokens of a training row; what is learned is filled and underlined, so that colour never speaks alone. */
export function Tokens({ spans }: { spans: readonly Span[] }) {
  const t = useText()
  return (
    <p className="max-w-[80ch] text-14 leading-8">
      {spans.map((span, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: the spans of a row stand in a fixed order
          key={index}
          title={t(NAMES[span.kind])}
          className={`whitespace-pre-wrap ${LOOKS[span.kind]} ${span.learned && span.kind !== "learned" ? LOOKS.learned : ""}`}
        >
          {span.text.replaceAll("\n", "⏎\n")}
        </span>
      ))}
    </p>
  )
}

/** What the looks of tokens mean. */
export function TokenLegend() {
  const t = useText()
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1.5 self-center text-s text-ink-2">
      {Object.entries(NAMES).map(([kind, name]) => (
        <li key={kind}>
          <span className={`px-1 ${LOOKS[kind as Span["kind"]]}`}>{t(name)}</span>
        </li>
      ))}
    </ul>
  )
}
