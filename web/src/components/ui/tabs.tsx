import { Link } from "@tanstack/react-router"
import { useEffect, useRef } from "react"

/** Views of one thing; the address says which one is open, so that it can be shared and survives a reload. */
export function TabLinks<Value extends string>({
  label,
  current,
  tabs,
}: {
  label: string
  current: Value
  tabs: readonly { value: Value; name: string; count?: number }[]
}) {
  const all = useRef<HTMLElement>(null)
  const shown = tabs.map(({ name, count }) => `${name} ${count}`).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view is another tab to bring into sight, a count moves it
  useEffect(() => {
    const tab = all.current?.querySelector<HTMLElement>("[aria-current]")
    if (all.current && tab) all.current.scrollLeft = tab.offsetLeft - (all.current.clientWidth - tab.offsetWidth) / 2
  }, [current, shown])
  return (
    <nav
      ref={all}
      aria-label={label}
      className="relative my-5 flex gap-5 overflow-x-auto border-b text-14 [scrollbar-width:none]"
    >
      {tabs.map(({ value, name, count }) => (
        <Link
          key={value}
          to="."
          search={withTab(value)}
          replace
          resetScroll={false}
          aria-current={value === current ? "page" : undefined}
          className="-mb-px inline-flex items-center gap-1.5 whitespace-nowrap border-b-2 border-transparent px-0.5 py-2 text-ink-2 hover:text-ink aria-[current]:border-accent aria-[current]:font-semibold aria-[current]:text-ink"
        >
          {name}
          {count ? (
            <b className="rounded-full bg-warn-soft px-1.5 text-[11px] font-semibold text-warn">{count}</b>
          ) : null}
        </Link>
      ))}
    </nav>
  )
}

/** Each page checks its own tabs (validateSearch); this part, which serves all, cannot know their types. */
function withTab(tab: string): never {
  return ((before: Record<string, unknown>) => ({ ...before, tab })) as never
}
