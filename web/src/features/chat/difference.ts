/** A piece of an answer, `at` its place; `isOwn` where the answer that it is compared with says something else. */
export interface Piece {
  at: number
  text: string
  isOwn: boolean
}

/** How an answer differs from another one; `pieces` are all of it, marked only where marks would help. */
export interface Difference {
  kind: "same" | "alike" | "other"
  pieces: readonly Piece[]
}

const LEAST_SHARE = 0.3 // below, almost every word would be marked, and the marks would say nothing
const MOST_CELLS = 4_000_000 // comparing takes words times words

/** Returns how `text` differs from `other`, word by word, also where words are not divided by spaces. */
export function differenceOf(text: string, other: string): Difference {
  const whole = [{ at: 0, text, isOwn: false }]
  if (text === other) return { kind: "same", pieces: whole }
  const [own, others] = [wordsOf(text), wordsOf(other)]
  if (own.length * others.length > MOST_CELLS) return { kind: "other", pieces: whole }
  const isCommon = commonWords(own, others)
  const length = (words: readonly string[]) => words.join("").length
  const share = length(own.filter((_, place) => isCommon[place])) / Math.max(text.length, other.length)
  if (share < LEAST_SHARE) return { kind: "other", pieces: whole }
  return { kind: "alike", pieces: joined(own, isCommon) }
}

function wordsOf(text: string): readonly string[] {
  return Array.from(new Intl.Segmenter("ja", { granularity: "word" }).segment(text), ({ segment }) => segment)
}

/** Tells of each word whether it belongs to the longest sequence that both have. */
function commonWords(own: readonly string[], others: readonly string[]): readonly boolean[] {
  const width = others.length + 1
  const longest = new Uint16Array((own.length + 1) * width) // of what follows each pair of places
  const at = (row: number, column: number) => longest[row * width + column] ?? 0
  for (let row = own.length - 1; row >= 0; row -= 1) {
    for (let column = others.length - 1; column >= 0; column -= 1) {
      longest[row * width + column] =
        own[row] === others[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const isCommon = own.map(() => false)
  for (let row = 0, column = 0; row < own.length && column < others.length; ) {
    if (own[row] === others[column]) {
      isCommon[row] = true
      row += 1
      column += 1
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1
    else column += 1
  }
  return isCommon
}

function joined(words: readonly string[], isCommon: readonly boolean[]): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  words.forEach((text, place) => {
    const isOwn = !isCommon[place]
    const last = pieces.at(-1)
    if (last?.isOwn === isOwn) last.text += text
    else pieces.push({ at, text, isOwn })
    at += text.length
  })
  return pieces
}
