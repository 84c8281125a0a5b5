import { describe, expect, it } from "vitest"
import { blocksOf, spansOf } from "./markdown"

describe("blocks of a lesson", () => {
  it("are told apart by how their lines begin", () => {
    const text = "読みます。\n\n1. 一つ目\n2. 二つ目\n\n- 点\n\n```sh\nllmlora doctor\n\nllmlora demo\n```\n### 見出し"
    expect(blocksOf(text)).toEqual([
      { kind: "paragraph", text: "読みます。" },
      { kind: "list", isOrdered: true, items: ["一つ目", "二つ目"] },
      { kind: "list", isOrdered: false, items: ["点"] },
      { kind: "code", text: "llmlora doctor\n\nllmlora demo" },
      { kind: "heading", text: "見出し" },
    ])
  })

  it("have boxes with blocks of their own", () => {
    expect(blocksOf("> one\n> two\n>\n> - three\nbehind")).toEqual([
      {
        kind: "box",
        blocks: [
          { kind: "paragraph", text: "one two" },
          { kind: "list", isOrdered: false, items: ["three"] },
        ],
      },
      { kind: "paragraph", text: "behind" },
    ])
  })

  it("have tables without their rule", () => {
    expect(blocksOf("| a | b |\n|---|---|\n| 1 |  |")).toEqual([
      { kind: "table", heads: ["a", "b"], rows: [["1", ""]] },
    ])
  })

  it("end where the text ends, even in the middle of code", () => {
    expect(blocksOf("```sh\nllmlora demo")).toEqual([{ kind: "code", text: "llmlora demo" }])
    expect(blocksOf("\n\n")).toEqual([])
  })
})

describe("pieces of a line", () => {
  it("are code, names and words", () => {
    expect(spansOf("Press **Upload**, then `nano`.")).toEqual([
      { kind: "text", text: "Press " },
      { kind: "strong", text: "Upload" },
      { kind: "text", text: ", then " },
      { kind: "code", text: "nano" },
      { kind: "text", text: "." },
    ])
  })
})
