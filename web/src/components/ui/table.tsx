import type { ReactNode } from "react"
import { LongName } from "./long-name"

export interface Column<Row> {
  name: string
  cell: (row: Row) => ReactNode
  isNumber?: boolean
  /** Left out where the screen is narrow. */
  isWide?: boolean
}

/** A table with a caption for readers; on phones the wide columns go. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
}: {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
}) {
  return (
    <table className="w-full border-collapse text-14">
      <caption className="sr-only">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th
              key={column.name}
              scope="col"
              className={`border-b px-2 py-1.5 text-s font-medium text-ink-2 ${headClass(column)}`}
            >
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)} className="border-b last:border-0 hover:bg-sunk/50">
            {columns.map((column) => (
              <td
                key={column.name}
                className={`px-2 py-2 ${cellClass(column)} ${column.isNumber ? "[overflow-wrap:normal] [word-break:keep-all] max-md:w-px" : ""}`}
              >
                <Cell column={column} row={row} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** What a column shows of a row; words that stand alone may be a name or an id. */
function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const shown = column.cell(row)
  return typeof shown === "string" && !column.isNumber ? <LongName>{shown}</LongName> : shown
}

function cellClass({ isNumber, isWide }: { isNumber?: boolean; isWide?: boolean }): string {
  return `${isNumber ? "text-right" : "text-left"} ${isWide ? "max-md:hidden" : ""}`
}

/** Names and numbers keep their width: narrow columns would come apart letter by letter. */
function headClass(column: { isNumber?: boolean; isWide?: boolean }): string {
  return `${cellClass(column)} [overflow-wrap:normal] [word-break:auto-phrase]`
}
