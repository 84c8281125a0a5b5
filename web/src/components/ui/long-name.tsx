import { Fragment } from "react"

const LONGEST = 20 // letters that a column of a phone holds; of Japanese half as many
const ENDS = /(?<=[/\-:_@])(?!\d*$)/ // of parts; `2e-4` and `10:05` stay whole
const PIECES = /(?<=[\p{sc=Katakana}ー])(?=\p{sc=Han})|(?<=\p{sc=Han})(?=\p{sc=Katakana})/u // of a long one

/**
 * A name or an id, or words with ids among them: a line ends behind `/ - : _ @`, and between the phrases of Japanese.
 *
 * A part that is longer than a narrow column comes apart where its writing changes, only then anywhere.
 */
export function LongName({ children }: { children: string }) {
  const isShort = children.split(/[\s/\-:_@]/).every((word) => widthOf(word) <= LONGEST)
  const parts = children.split(ENDS).flatMap((part) => (widthOf(part) > LONGEST ? part.split(PIECES) : part))
  return (
    <span
      lang={languageOf(children)}
      className={isShort ? "[overflow-wrap:normal] [word-break:auto-phrase]" : "[word-break:auto-phrase]"}
    >
      {parts.map((part, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a part has nothing but its place
        <Fragment key={place}>
          {place > 0 ? <wbr /> : null}
          {part}
        </Fragment>
      ))}
    </span>
  )
}

/** Returns the language of words that tell it by their letters: browsers know the phrases of Japanese only where it is named. */
export function languageOf(words: string): "ja" | undefined {
  return /[\p{sc=Hiragana}\p{sc=Katakana}]/u.test(words) ? "ja" : undefined
}

/** Returns how wide a word is in Latin letters; one of Japanese is as wide as two. */
export function widthOf(word: string): number {
  return [...word].reduce((width, letter) => width + (letter > "\u2e7f" ? 2 : 1), 0)
}
