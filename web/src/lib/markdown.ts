/** A paragraph, list, table, code block or box of a text in Markdown. Only our own lessons are read: no HTML, no images. */
export type Block =
  | { kind: "paragraph"; text: string }
  | { kind: "heading"; text: string }
  | { kind: "list"; isOrdered: boolean; items: string[] }
  | { kind: "code"; text: string }
  | { kind: "table"; heads: string[]; rows: string[][] }
  | { kind: "box"; blocks: Block[] }

/** A piece of a line. */
export type Span = { kind: "text" | "code" | "strong"; text: string }

const ITEM = /^(?:[-*]|(\d+)\.) /
const RULE = /^\|[-| :]+\|$/

/** Returns the blocks of a text. */
export function blocksOf(text: string): Block[] {
  const lines = text.split("\n")
  const blocks: Block[] = []
  while (lines.length > 0) {
    if (lines[0]?.trim() === "") lines.shift()
    else blocks.push(takeBlock(lines))
  }
  return blocks
}

function takeBlock(lines: string[]): Block {
  const first = lines[0] ?? ""
  if (first.startsWith("```")) return takeCode(lines)
  if (first.startsWith("### ")) return { kind: "heading", text: (lines.shift() ?? "").slice(4) }
  if (first.startsWith(">")) {
    const inner = take(lines, (line) => line.startsWith(">")).map((line) => line.replace(/^> ?/, ""))
    return { kind: "box", blocks: blocksOf(inner.join("\n")) }
  }
  if (first.startsWith("|")) return tableOf(take(lines, (line) => line.startsWith("|")))
  if (ITEM.test(first)) {
    const items = take(lines, (line) => ITEM.test(line)).map((line) => line.replace(ITEM, ""))
    return { kind: "list", isOrdered: /^\d/.test(first), items }
  }
  const kept = take(lines, (line) => line.trim() !== "" && !/^(?:```|\||>|### )/.test(line) && !ITEM.test(line))
  return { kind: "paragraph", text: kept.join(" ") }
}

function takeCode(lines: string[]): Block {
  lines.shift()
  const kept = take(lines, (line) => !line.startsWith("```"))
  lines.shift()
  return { kind: "code", text: kept.join("\n") }
}

function tableOf(lines: string[]): Block {
  const [heads = [], ...rows] = lines.filter((line) => !RULE.test(line)).map(cellsOf)
  return { kind: "table", heads, rows }
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim())
}

/** Takes lines off the front as long as they fit. */
function take(lines: string[], fits: (line: string) => boolean): string[] {
  const end = lines.findIndex((line) => !fits(line))
  return lines.splice(0, end < 0 ? lines.length : end)
}

/** Returns the pieces of a line: `code`, **names**, and what is between them. */
export function spansOf(line: string): Span[] {
  return line
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      if (piece.startsWith("`")) return { kind: "code", text: piece.slice(1, -1) }
      if (piece.startsWith("**")) return { kind: "strong", text: piece.slice(2, -2) }
      return { kind: "text", text: piece }
    })
}
