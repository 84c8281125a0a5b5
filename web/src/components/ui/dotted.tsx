import { Fragment } from "react"
import { useText } from "@/lib/text"
import { LongName, widthOf } from "./long-name"

const LONGEST = 32 // letters that stay in one line; of Japanese half as many

/** Short facts in a line, a dot between them; a line ends between two facts, not inside one. */
export function Dotted({ words }: { words: readonly (string | null | undefined)[] }) {
  const t = useText()
  const facts = words.filter((word): word is string => Boolean(word))
  return (
    <span>
      {facts.map((word, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a fact has nothing but its place
        <Fragment key={place}>
          {place > 0 ? t("web.dot") : null}
          {widthOf(word) > LONGEST ? <LongName>{word}</LongName> : <span className="whitespace-nowrap">{word}</span>}
        </Fragment>
      ))}
    </span>
  )
}
