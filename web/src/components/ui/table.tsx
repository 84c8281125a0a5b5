import type { ReactNode } from "react"
import { useIsNarrow } from "@/lib/narrow"
import { LongName } from "./long-name"

export interface Column<Row> {
  name: string
  cell: (row: Row) => ReactNode
  isNumber?: boolean
  /** Left out where the screen is narrow. */
  isWide?: boolean
}

interface TableProps<Row> {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** On phones the first column stands over the others, in a line of its own. */
  isStacked?: boolean
}

const MOST_SIDE_BY_SIDE = 5 // columns that a table holds beside the menu of a tablet

/** A table with a caption for readers; on phones the wide columns go, those of a broad table also where it is narrow. */
export function Table<Row>({ caption, columns, rows, keyOf, isStacked = false }: TableProps<Row>) {
  const isNarrow = useIsNarrow()
  const [first, ...others] = columns
  const head = isStacked && isNarrow ? first : undefined
  const shown = head ? others.filter(({ isWide }) => !isWide) : columns
  const looks = looksOf(shown, head !== undefined)
  return (
    <div className="@container">
      <table className="w-full border-collapse text-14">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {shown.map(({ name }, place) => (
              <th
                key={name}
                scope="col"
                className={`border-b px-2 py-1.5 text-s font-medium text-ink-2 first-letter:uppercase ${looks[place]} ${WHOLE_WORDS}`}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {head ? (
          rows.map((row) => (
            <tbody key={keyOf(row)} className="border-b last:border-0">
              <tr>
                <th scope="rowgroup" colSpan={shown.length} className="px-2 pt-2 text-left font-normal">
                  <Cell column={head} row={row} />
                </th>
              </tr>
              <Cells columns={shown} looks={looks} row={row} />
            </tbody>
          ))
        ) : (
          <tbody className="[&>tr]:border-b [&>tr:last-child]:border-0">
            {rows.map((row) => (
              <Cells key={keyOf(row)} columns={shown} looks={looks} row={row} />
            ))}
          </tbody>
        )}
      </table>
    </div>
  )
}

function Cells<Row>({ columns, looks, row }: { columns: readonly Column<Row>[]; looks: readonly string[]; row: Row }) {
  return (
    <tr className="hover:bg-sunk/50">
      {columns.map((column, place) => (
        <td key={column.name} className={`px-2 py-2 ${looks[place]} ${column.isNumber ? "whitespace-nowrap" : ""}`}>
          <Cell column={column} row={row} />
        </td>
      ))}
    </tr>
  )
}

/** What a column shows of a row; words that stand alone may be a name or an id. */
function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const shown = column.cell(row)
  return typeof shown === "string" && !column.isNumber ? <LongName>{shown}</LongName> : shown
}

/** Names and numbers keep their width: narrow columns would come apart letter by letter. */
const WHOLE_WORDS = "[overflow-wrap:normal] [word-break:auto-phrase]"

/**
 * Returns how the cells of each column stand: numbers at the right, and words behind them with some room between.
 *
 * Below a name that stands over its row the first column begins where the name does.
 */
function looksOf<Row>(columns: readonly Column<Row>[], isUnderName: boolean): string[] {
  const narrow = columns.length > MOST_SIDE_BY_SIDE ? "max-md:hidden @max-2xl:hidden" : "max-md:hidden"
  return columns.map(({ isNumber, isWide }, place) => {
    const side = isNumber && !(isUnderName && place === 0) ? "text-right" : "text-left"
    const room = !isNumber && columns[place - 1]?.isNumber ? "md:pl-8" : ""
    return `${side} ${room} ${isWide ? narrow : ""}`
  })
}
