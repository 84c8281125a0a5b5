import { render, screen, within } from "@testing-library/react"
import { describe, expect, it } from "vitest"
import type { TutorialStep } from "@/api/tutorials"
import { LessonText } from "./components/lesson-text"
import { StepList } from "./components/step-list"
import { isOnlyRead } from "./steps"

function step(id: string, state: TutorialStep["state"], kind: TutorialStep["kind"] = "job"): TutorialStep {
  const nothing = { text: "", findings: [], texts: [], job_id: null, dataset_id: null, page: "/jobs" }
  return { ...nothing, id, title: `手順 ${id}`, kind, state }
}

describe("the text of a lesson", () => {
  it("has commands that can be copied, tables, lists and boxes", () => {
    render(
      <LessonText
        text={"1. `nano` を選ぶ\n\n```sh\nllmlora doctor\n```\n\n| 値 |\n|---|\n| 2 |\n\n> **Upload** の話"}
      />,
    )
    expect(screen.getByRole("listitem").textContent).toBe("nano を選ぶ")
    expect(screen.getByText("llmlora doctor")).toBeTruthy()
    expect(screen.getByRole("button", { name: "コピー" })).toBeTruthy()
    expect(within(screen.getByRole("table")).getByRole("cell", { name: "2" })).toBeTruthy()
    expect(screen.getByText("Upload").tagName).toBe("STRONG")
  })

  it("shows markup of other kinds as it stands", () => {
    render(<LessonText text={"<b>太い</b> ![x](http://example.com/x.png)"} />)
    expect(screen.getByText("<b>太い</b> ![x](http://example.com/x.png)")).toBeTruthy()
  })
})

describe("the steps of a lesson", () => {
  it("are listed with their state in words, and the next one is marked", () => {
    render(<StepList steps={[step("a", "done"), step("b", "differs"), step("c", "open")]} next="b" />)
    expect(screen.getByText("3 手順のうち 1")).toBeTruthy()
    const links = screen.getAllByRole("link").map((link) => link.textContent)
    expect(links).toEqual(["済み手順 a", "違いあり手順 b", "これから手順 c"])
    expect(screen.getAllByRole("listitem").map((item) => item.getAttribute("aria-current"))).toEqual([
      null,
      "step",
      null,
    ])
  })

  it("are marked by the reader where the workspace cannot tell", () => {
    expect(
      (["read", "chat", "dataset", "job", "loss", "facts"] as const).filter((kind) => isOnlyRead({ kind })),
    ).toEqual(["read", "chat"])
  })
})
