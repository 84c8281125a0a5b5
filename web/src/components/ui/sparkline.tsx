import { useText } from "@/lib/text"

const WIDTH = 88
const HEIGHT = 22
const AIR = 2

/** A curve in the height of a line of text, without axes; its first and last value are told to who cannot see it. */
export function Sparkline({ values, words }: { values: readonly number[]; words: string }) {
  const t = useText()
  if (values.length < 2) return <span className="text-ink-3">{t("web.none")}</span>
  return (
    <svg role="img" aria-label={words} width={WIDTH} height={HEIGHT} className="inline-block flex-none align-middle">
      <polyline
        points={pointsOf(values)}
        className="fill-none stroke-accent"
        strokeWidth="1.6"
        strokeLinejoin="round"
      />
    </svg>
  )
}

function pointsOf(values: readonly number[]): string {
  const low = Math.min(...values)
  const height = Math.max(...values) - low || 1
  return values
    .map((value, index) => {
      const x = AIR + ((WIDTH - 2 * AIR) * index) / (values.length - 1)
      const y = HEIGHT - AIR - ((HEIGHT - 2 * AIR) * (value - low)) / height
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(" ")
}
