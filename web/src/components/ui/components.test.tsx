import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query"
import { act, render, screen } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { useState } from "react"
import { expect, it, vi } from "vitest"
import { ApiError } from "@/api/error"
import { STATUSES } from "@/api/jobs"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { switchLanguage, useText } from "@/lib/text"
import { Button } from "./button"
import { LongName } from "./long-name"
import { More } from "./more"
import { NumberField } from "./number-field"
import { Progress } from "./progress"
import { StatusChip } from "./status-chip"
import { Toasts, toast } from "./toast"

function Rank({ onValue }: { onValue: (value: number | null) => void }) {
  const [value, setValue] = useState<number | null>(8)
  const take = (next: number | null) => {
    setValue(next)
    onValue(next)
  }
  return <NumberField label="ランク" value={value} onValue={take} min={1} max={512} isWhole />
}

it("takes a number in full-width digits when the field is left", async () => {
  const onValue = vi.fn()
  render(<Rank onValue={onValue} />)
  const field = screen.getByLabelText("ランク")
  await userEvent.clear(field)
  await userEvent.type(field, "１６")
  expect(onValue).not.toHaveBeenCalled()
  await userEvent.tab()
  expect(onValue).toHaveBeenLastCalledWith(16)
  expect(field).toHaveProperty("value", "16")
})

it("says which numbers there are instead of taking a wrong one", async () => {
  const onValue = vi.fn()
  render(<Rank onValue={onValue} />)
  const field = screen.getByLabelText("ランク")
  await userEvent.clear(field)
  await userEvent.type(field, "0.5")
  await userEvent.tab()
  expect(onValue).not.toHaveBeenCalled()
  expect(field.getAttribute("aria-invalid")).toBe("true")
  const note = document.getElementById(field.getAttribute("aria-describedby") ?? "")
  expect(note?.textContent).toBe("1 から 512 までの整数を入力してください。")
})

it("shows each of the eight statuses as a word, and training as such", () => {
  const words = STATUSES.map((status) => {
    const { container, unmount } = render(<StatusChip job={{ status, kind: "evaluate" }} />)
    const text = container.textContent
    unmount()
    return text
  })
  expect(words).toEqual(["待機中", "準備中", "実行中", "一時停止", "中断・再開待ち", "完了", "失敗", "中止"])
  render(<StatusChip job={{ status: "running", kind: "train" }} />)
  expect(screen.getByText("学習中")).toBeDefined()
})

it("tells readers how far something is, or that it is not known", () => {
  const { rerender } = render(<Progress label="学習" percent={58} />)
  expect(screen.getByRole("progressbar", { name: "学習" }).getAttribute("aria-valuenow")).toBe("58")
  rerender(<Progress label="学習" percent={null} />)
  expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBeNull()
})

it("does nothing twice while it is busy", async () => {
  const onClick = vi.fn()
  const { rerender } = render(<Button onClick={onClick}>x</Button>)
  await userEvent.click(screen.getByRole("button"))
  rerender(
    <Button onClick={onClick} isBusy>
      x
    </Button>,
  )
  await userEvent.click(screen.getByRole("button"))
  expect(onClick).toHaveBeenCalledTimes(1)
})

it("shows what happened, every problem, what next, and the code", () => {
  const error = new ApiError({
    status: 422,
    code: "config",
    detail: "値が違います。",
    hint: "直してください。",
    problems: ["r"],
  })
  render(<Failed error={error} onRetry={() => {}} />)
  const alert = screen.getByRole("alert")
  for (const words of ["値が違います。", "直してください。", "r", "config", "もう一度試す", "報告用にコピー"]) {
    expect(alert.textContent).toContain(words)
  }
})

it("words an error without words of its own, and shows no stack", () => {
  render(<Failed error={new ApiError({ status: 0, code: "server_away", detail: "", hint: "" })} />)
  expect(screen.getByRole("alert").textContent).toContain("サーバーから応答がありません。")
})

it("takes back what was done from a toast, once", async () => {
  const undo = vi.fn()
  render(<Toasts />)
  act(() => toast("削除しました", { undo }))
  await userEvent.click(screen.getByRole("button", { name: "元に戻す" }))
  expect(undo).toHaveBeenCalledTimes(1)
  expect(screen.queryByText("削除しました")).toBeNull()
})

function Word() {
  return useText()("web.status.queued")
}

it("changes language in place", async () => {
  const { container } = render(<Word />)
  expect(container.textContent).toBe("待機中")
  await act(() => switchLanguage("en"))
  expect(container.textContent).toBe("Queued")
  expect(document.documentElement.lang).toBe("en")
  await act(() => switchLanguage("ja"))
})

function Letters({ ask }: { ask: () => Promise<string[]> }) {
  const query = useQuery({ queryKey: ["letters"], queryFn: ask })
  return (
    <QueryView query={query} isEmpty={(items) => items.length === 0} empty="空">
      {(items) => items.join()}
    </QueryView>
  )
}

it("keeps what it knew under an error, and asks again on demand", async () => {
  const broken = new ApiError({ status: 500, code: "internal", detail: "壊れました", hint: "" })
  const ask = vi.fn().mockResolvedValueOnce(["a"]).mockRejectedValueOnce(broken).mockResolvedValueOnce([])
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const { container } = render(
    <QueryClientProvider client={client}>
      <Letters ask={ask} />
    </QueryClientProvider>,
  )
  expect(container.querySelector('[aria-busy="true"]')).not.toBeNull()
  await screen.findByText("a")
  await act(() => client.invalidateQueries())
  expect((await screen.findByRole("alert")).textContent).toContain("壊れました")
  expect(container.textContent).toContain("a")
  await userEvent.click(screen.getByRole("button", { name: "もう一度試す" }))
  await screen.findByText("空")
  expect(screen.queryByRole("alert")).toBeNull()
})

it("puts what is done less often behind one button on phones, and beside the others elsewhere", async () => {
  const matches = vi.spyOn(window, "matchMedia")
  const screenIs = (isNarrow: boolean) =>
    matches.mockReturnValue({ matches: isNarrow, addEventListener: vi.fn(), removeEventListener: vi.fn() } as never)
  const actions = (
    <More>
      <Button>削除</Button>
    </More>
  )
  screenIs(false)
  const { unmount } = render(actions)
  expect(screen.getByRole("button").textContent).toBe("削除")
  unmount()
  screenIs(true)
  render(actions)
  expect(screen.queryByRole("button", { name: "削除" })).toBeNull()
  await userEvent.click(screen.getByRole("button", { name: "その他の操作" }))
  expect(screen.getByRole("button", { name: "削除" })).toBeTruthy()
  matches.mockRestore()
})

it("ends a line of an id behind its signs, keeps its text, and lets a number be", () => {
  const breaksOf = (name: string) => {
    const { container, unmount } = render(<LongName>{name}</LongName>)
    const [text, html] = [container.textContent, container.firstElementChild?.innerHTML]
    unmount()
    expect(text).toBe(name)
    return html?.split("<wbr>")
  }
  expect(breaksOf("hub:Org/Some-135M_v2")).toEqual(["hub:", "Org/", "Some-", "135M_", "v2"])
  expect(breaksOf("nano・2e-4")).toEqual(["nano・2e-4"])
})
