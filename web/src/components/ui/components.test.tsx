import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query"
import { act, render, screen } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { useState } from "react"
import { expect, it, vi } from "vitest"
import { ApiError } from "@/api/error"
import { STATUSES } from "@/api/jobs"
import { Page } from "@/components/layout/page"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { toastError } from "@/components/states/toast-error"
import { switchLanguage, useText } from "@/lib/text"
import { Button } from "./button"
import { Dotted } from "./dotted"
import { LongList } from "./long-list"
import { LongName } from "./long-name"
import { NumberField } from "./number-field"
import { Progress } from "./progress"
import { StatusChip } from "./status-chip"
import { Table } from "./table"
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

it("takes the very number that it shows when it is typed over it", async () => {
  const onValue = vi.fn()
  render(<Rank onValue={onValue} />)
  const field = screen.getByLabelText("ランク")
  await userEvent.type(field, "8", { initialSelectionStart: 0, initialSelectionEnd: 1 })
  await userEvent.tab()
  expect(onValue.mock.calls).toEqual([[8]])
})

it("takes nothing from a number field that was only visited", async () => {
  const onValue = vi.fn()
  render(<Rank onValue={onValue} />)
  await userEvent.click(screen.getByLabelText("ランク"))
  await userEvent.tab()
  expect(onValue).not.toHaveBeenCalled()
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

it("keeps what went wrong, with its code, until it is closed", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  render(<Toasts />)
  const error = new ApiError({ status: 409, code: "locked", detail: "使われています。", hint: "待ってください。" })
  act(() => toastError(error, (key) => key))
  act(() => toast("削除しました"))
  act(() => vi.advanceTimersByTime(60_000))
  expect(screen.queryByText("削除しました")).toBeNull()
  for (const words of ["使われています。", "待ってください。", "locked"]) expect(screen.getByText(words)).toBeTruthy()
  vi.useRealTimers()
  await userEvent.click(screen.getByRole("button", { name: "閉じる" }))
  expect(screen.queryByText("locked")).toBeNull()
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

function Letters({ ask, isOnDesk }: { ask: () => Promise<string[]>; isOnDesk?: boolean }) {
  const query = useQuery({ queryKey: ["letters"], queryFn: ask })
  return (
    <QueryView query={query} isOnDesk={isOnDesk} isEmpty={(items) => items.length === 0} empty="空">
      {(items) => items.join()}
    </QueryView>
  )
}

it("lays what loads and what failed on a sheet where a view brings its own", async () => {
  const broken = new ApiError({ status: 500, code: "internal", detail: "壊れました", hint: "直してください。" })
  const ask = vi.fn().mockResolvedValueOnce(["a"]).mockRejectedValue(broken)
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const { container } = render(
    <QueryClientProvider client={client}>
      <Letters ask={ask} isOnDesk />
    </QueryClientProvider>,
  )
  expect(container.querySelector('[aria-busy="true"] > section')).not.toBeNull()
  await screen.findByText("a")
  await act(() => client.invalidateQueries())
  const alert = await screen.findByRole("alert")
  expect(alert.closest("section")).not.toBeNull()
  for (const words of ["壊れました", "直してください。", "internal"]) expect(alert.textContent).toContain(words)
})

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

function screenIs(isNarrow: boolean) {
  const matches = vi.spyOn(window, "matchMedia")
  matches.mockReturnValue({ matches: isNarrow, addEventListener: vi.fn(), removeEventListener: vi.fn() } as never)
}

it("puts what is done less often before the other buttons, on phones behind one beside the heading", async () => {
  const page = (
    <Page title="店" actions={<Button>訓練</Button>} more={<Button>削除</Button>}>
      中身
    </Page>
  )
  screenIs(false)
  const { unmount } = render(page)
  expect(screen.getAllByRole("button").map(({ textContent }) => textContent)).toEqual(["削除", "訓練"])
  unmount()
  screenIs(true)
  render(page)
  expect(screen.queryByRole("button", { name: "削除" })).toBeNull()
  const more = screen.getByRole("button", { name: "その他の操作" })
  const heading = screen.getByRole("heading", { level: 1 })
  expect(more.parentElement?.contains(heading)).toBe(true)
  expect(more.parentElement).not.toBe(screen.getByRole("button", { name: "訓練" }).parentElement)
  await userEvent.click(more)
  expect(screen.getByRole("button", { name: "削除" })).toBeTruthy()
  vi.restoreAllMocks()
})

it("leaves no empty row where a page has nothing that can be done", () => {
  screenIs(true)
  const { container } = render(<Page title="店">中身</Page>)
  expect(container.querySelector(".max-md\\:w-full")?.className).toContain("empty:hidden")
  expect(screen.queryByRole("button")).toBeNull()
  vi.restoreAllMocks()
})

it("stands the first column over the others on phones, where a table asks for it", () => {
  const table = (isStacked: boolean) => (
    <Table
      caption="表"
      isStacked={isStacked}
      rows={[{ name: "model-Q4_K_M.gguf", size: "3.4 MB" }]}
      keyOf={({ name }) => name}
      columns={[
        { name: "名前", cell: ({ name }) => name },
        { name: "大きさ", cell: ({ size }) => size, isNumber: true },
        ...(isStacked ? [{ name: "広い", cell: () => "x", isWide: true }] : []),
      ]}
    />
  )
  const rows = () => screen.getAllByRole("row").map((row) => [...row.children].map(({ textContent }) => textContent))
  const flat = [
    ["名前", "大きさ"],
    ["model-Q4_K_M.gguf", "3.4 MB"],
  ]
  for (const [isNarrow, isStacked, wanted] of [
    [false, true, flat.map((row, place) => [...row, place === 0 ? "広い" : "x"])],
    [true, false, flat],
    [true, true, [["大きさ"], ["model-Q4_K_M.gguf"], ["3.4 MB"]]],
  ] as const) {
    screenIs(isNarrow)
    const { unmount } = render(table(isStacked))
    expect(rows()).toEqual(wanted)
    unmount()
  }
  vi.restoreAllMocks()
})

it("ends a line between two facts, not inside a short one", () => {
  const { container } = render(<Dotted words={["ステップ 568 / 2,000", null, "残り 7分56秒"]} />)
  expect(container.textContent).toBe("ステップ 568 / 2,000・残り 7分56秒")
  expect([...container.querySelectorAll(".whitespace-nowrap")].map(({ textContent }) => textContent)).toEqual([
    "ステップ 568 / 2,000",
    "残り 7分56秒",
  ])
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
  expect(breaksOf("高血圧診断基準データセット_v2")).toEqual(["高血圧診断基準", "データセット_", "v2"])
  expect(breaksOf("診断データ")).toEqual(["診断データ"])
})

it("begins a long list, shows the rest when it is asked for, and goes on there", async () => {
  render(
    <LongList items={["一", "二", "三", "四"]} most={2}>
      {(item) => <li key={item}>{item}</li>}
    </LongList>,
  )
  expect(screen.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual(["一", "二"])
  await userEvent.click(screen.getByRole("button", { name: "残り 2 件を表示" }))
  expect(screen.getAllByRole("listitem")).toHaveLength(4)
  expect(document.activeElement?.textContent).toBe("三")
  expect(screen.queryByRole("button")).toBeNull()
})

it("shows a short list whole", () => {
  render(
    <LongList items={["一", "二"]} most={2}>
      {(item) => <li key={item}>{item}</li>}
    </LongList>,
  )
  expect(screen.queryByRole("button")).toBeNull()
})
