/** How far something is; `marks` are shares between 0 and 1 where a part ends, null is not known. */
export function Progress({
  label,
  percent,
  marks = [],
  isSlim = false,
}: {
  label: string
  percent: number | null
  marks?: readonly number[]
  isSlim?: boolean
}) {
  const value = percent === null ? undefined : Math.min(100, Math.max(0, percent))
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value}
      className={`relative overflow-hidden rounded-full bg-sunk ${isSlim ? "h-1.5" : "h-2"}`}
    >
      <span
        className={`absolute inset-y-0 left-0 rounded-full bg-accent transition-[width] duration-300 ${value === undefined ? "w-1/4 animate-pulse" : ""}`}
        style={value === undefined ? undefined : { width: `${value}%` }}
      />
      {marks.map((mark) => (
        <i key={mark} className="absolute inset-y-0 w-0.5 bg-sheet" style={{ left: `${mark * 100}%` }} />
      ))}
    </div>
  )
}
