import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import ts from "typescript"
import { expect, it } from "vitest"
import { fill, textsOf } from "./text"

const ROOT = resolve(import.meta.dirname, "..")
const ENGLISH: Record<string, string> = JSON.parse(
  readFileSync(resolve(ROOT, "../../src/llmlora/locales/en.json"), "utf8"),
)

it("fills values in, groups numbers, and leaves doubled braces alone", () => {
  expect(fill("{name} {count} {{x}} {gone}", "ja", { name: "a{b}", count: 1204 })).toBe("a{b} 1,204 {x} {gone}")
  const counted = (count: number) => fill("{count:example|examples}, {n}", "en", { count, n: 1 })
  expect([counted(1), counted(0), counted(1204)]).toEqual(["1 example, 1", "0 examples, 1", "1,204 examples, 1"])
})

it("words a key in each language", () => {
  expect(textsOf("ja")("web.status.queued")).toBe("待機中")
  expect(textsOf("en")("web.status.queued")).toBe("Queued")
})

/** Every source of the page by its name, read once: a busy machine takes seconds for them. */
const SOURCES = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !/\.(test|d)\.tsx?$/.test(name))
  .map((name) => ts.createSourceFile(name, readFileSync(join(ROOT, name), "utf8"), ts.ScriptTarget.Latest, true))

/** Returns every `t("key", values)` of a file whose key is written out. */
function calls(file: ts.SourceFile): { key: string; given: string[] | null }[] {
  const found: { key: string; given: string[] | null }[] = []
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === "t") {
      const [key, values] = node.arguments
      if (key && ts.isStringLiteral(key)) found.push({ key: key.text, given: namesOf(values) })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** Returns the names that an object gives values to, null where it takes them from elsewhere. */
function namesOf(values: ts.Expression | undefined): string[] | null {
  if (!values) return []
  if (!ts.isObjectLiteralExpression(values) || values.properties.some(ts.isSpreadAssignment)) return null
  return values.properties.map((property) => property.name?.getText() ?? "")
}

it("gives every text all its values, and no other", () => {
  const found = SOURCES.flatMap((file) => calls(file).map((call) => ({ name: file.fileName, ...call })))
  expect(found.length).toBeGreaterThan(50)
  const wrong = found.filter(({ key, given }) => {
    const wanted = [...(ENGLISH[key] ?? "").matchAll(/\{(\w+)[:}]/g)].map(([, place]) => place)
    return given !== null && given.toSorted().join() !== wanted.toSorted().join()
  })
  expect(wrong).toEqual([])
})

it("finds no words in the source that a reader would see", () => {
  const spoken = SOURCES.filter(({ fileName }) => !fileName.endsWith("components-page.tsx")).flatMap((file) => {
    const words: string[] = []
    const visit = (node: ts.Node) => {
      if (ts.isJsxText(node) && /\p{L}{2,}/u.test(node.text)) words.push(node.text.trim())
      if (ts.isStringLiteralLike(node) && /[\u3040-\u9fff]/.test(node.text)) words.push(node.text)
      ts.forEachChild(node, visit)
    }
    visit(file)
    return words.filter((word) => word !== "llmlora").map((word) => `${file.fileName}: ${word}`)
  })
  const units = ["日", "時間", "分", "秒"].map((unit) => `lib/format.ts: ${unit}`)
  expect(spoken).toEqual([...units, "lib/text.ts: 日本語"])
})
