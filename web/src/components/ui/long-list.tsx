import { type ReactNode, useEffect, useRef, useState } from "react"
import { useText } from "@/lib/text"
import { Button } from "./button"

interface LongListProps<Item> {
  items: readonly Item[]
  /** How many stand there before the rest is asked for. */
  most: number
  className?: string
  children: (item: Item) => ReactNode
}

/** The first of many things, and a button for the rest. */
export function LongList<Item>({ items, most, className, children }: LongListProps<Item>) {
  const t = useText()
  const [isWhole, setIsWhole] = useState(false)
  const list = useRef<HTMLUListElement>(null)
  const shown = isWhole ? items : items.slice(0, most)
  const left = items.length - shown.length

  // The button is gone by then: who works by keyboard goes on at the first thing that came.
  useEffect(() => {
    const next = list.current?.children[most]
    if (!isWhole || !(next instanceof HTMLElement)) return
    next.tabIndex = -1
    next.focus()
  }, [isWhole, most])

  return (
    <>
      <ul ref={list} className={className}>
        {shown.map(children)}
      </ul>
      {left > 0 ? (
        <Button className="mt-4" onClick={() => setIsWhole(true)}>
          {t("web.list.rest", { count: left })}
        </Button>
      ) : null}
    </>
  )
}
