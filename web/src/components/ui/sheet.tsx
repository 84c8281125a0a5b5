import type { ReactNode } from "react"
import { LongName } from "./long-name"

/** One sheet on the desk: a heading, something beside it, and what it holds. Sheets do not lie in sheets. */
export function Sheet({
  id,
  title,
  aside,
  children,
  className = "",
}: {
  id?: string
  title?: ReactNode
  aside?: ReactNode
  children: ReactNode
  className?: string
}) {
  return (
    <section id={id} className={`min-w-0 rounded-large border bg-sheet p-4 shadow-sheet ${className}`}>
      {title ? (
        <div className="mb-2 flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
          <h2>{title}</h2>
          <div className="contents [&>button]:-my-1.5 [&>button]:-mr-2">{aside}</div>
        </div>
      ) : null}
      {children}
    </section>
  )
}

/** Figures side by side: the number first, its unit small behind it. */
export function Figures({ items }: { items: readonly { name: string; value: ReactNode; unit?: ReactNode }[] }) {
  return (
    <dl className="grid grid-cols-[repeat(auto-fit,minmax(116px,1fr))] gap-x-6 gap-y-2">
      {items.map(({ name, value, unit }) => (
        <div key={name} className="min-w-0">
          <dt className="text-s text-ink-2">{name}</dt>
          <dd className="figures">
            {value} {unit ? <small className="text-s font-normal text-ink-2">{unit}</small> : null}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Names and values in lines, the value at the right; `isBroad` ones in two columns where their container has the room. */
export function Facts({
  items,
  isBroad = false,
}: {
  items: readonly { name: string; value: ReactNode }[]
  isBroad?: boolean
}) {
  return (
    <dl className={`text-14 ${isBroad ? "@2xl:grid @2xl:grid-cols-2 @2xl:gap-x-12" : ""}`}>
      {items.map(({ name, value }) => (
        <div key={name} className="flex justify-between gap-3 py-1">
          <dt className="text-ink-2">{name}</dt>
          <dd className="text-right font-semibold">
            {typeof value === "string" ? <LongName>{value}</LongName> : value}
          </dd>
        </div>
      ))}
    </dl>
  )
}
