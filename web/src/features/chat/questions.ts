import type { DatasetRow } from "@/api/datasets"

const WANTED = 3
/** Which rows of a dataset the chat looks at. */
export const FIRST_ROWS = { cursor: 0, q: "", problem: null }

/** Returns the first questions of a dataset's rows, each once; a row of text alone has none. */
export function questionsOf(rows: readonly DatasetRow[]): readonly string[] {
  const questions = rows.flatMap(({ example }) => {
    const turns = (example?.messages ?? []) as readonly { role: string; content: string }[]
    return turns.filter(({ role }) => role === "user").slice(0, 1)
  })
  return [...new Set(questions.map(({ content }) => content))].slice(0, WANTED)
}

type Value = Record<string, unknown>

/**
 * Returns a new row in the form of a dataset's own rows, null where none of them is a question with its answer.
 *
 * The columns are those that hold the question and the answer of a row: whatever their names are.
 */
export function rowLike(rows: readonly DatasetRow[], question: string, answer: string): Value | null {
  for (const { fields, example } of rows) {
    const turns = (example?.messages ?? []) as readonly { role: string; content: string }[]
    const asked = turns.find(({ role }) => role === "user")?.content
    const said = turns.find(({ role }) => role === "assistant")?.content
    if (!fields || asked === undefined || said === undefined) continue
    if (Array.isArray(fields.messages)) return { messages: [turn("user", question), turn("assistant", answer)] }
    const columnOf = (text: string) => Object.keys(fields).find((name) => String(fields[name]).trim() === text.trim())
    const [left, right] = [columnOf(asked), columnOf(said)]
    if (left && right) return { [left]: question, [right]: answer }
  }
  return null
}

function turn(role: "user" | "assistant", content: string): Value {
  return { role, content }
}
