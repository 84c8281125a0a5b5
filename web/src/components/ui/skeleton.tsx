/** Grey bars in the shape of what is coming; they show after 150 ms only. */
export function Skeleton({ lines = 3, className = "" }: { lines?: number; className?: string }) {
  return (
    <div aria-hidden="true" className={`appear-late grid gap-2.5 ${className}`}>
      {Array.from({ length: lines }, (_, line) => line).map((line) => (
        <div key={line} className={`h-4 rounded-small bg-sunk ${line === lines - 1 ? "w-3/5" : "w-full"}`} />
      ))}
    </div>
  )
}
