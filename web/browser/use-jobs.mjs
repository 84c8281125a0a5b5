// node browser/use-jobs.mjs ADDRESS: two finished jobs are compared, and one of them becomes a verified file.
import assert from "node:assert/strict"
import { launch, open } from "./browser.mjs"

const PATIENCE = 120_000
const browser = await launch()
const { page, faults } = await open(browser, process.argv[2])

/** Makes one job of both, by weights, and comes back. */
async function combine() {
  const compared = page.url()
  await page.getByText("アダプターを組み合わせる").click()
  await page.getByLabel("A の重み").fill("0.7")
  await page.getByRole("button", { name: "組み合わせる", exact: true }).click()
  await page.waitForURL(/\/jobs\/[0-9A-Z]{26}$/)
  await page.locator("main section").first().getByText("完了", { exact: true }).waitFor({ timeout: PATIENCE })
  await page.goto(compared)
}

await page.getByRole("link", { name: "訓練", exact: true }).first().click()
await page.getByRole("cell").getByRole("link").first().click()
await page.getByRole("link", { name: "比較する" }).click()
await page.getByText("比べるジョブを2つ以上選んでください").waitFor()
await page.getByLabel("ジョブを追加").selectOption({ index: 1 })
await page.waitForURL(/jobs=[0-9A-Z]{26}%2C[0-9A-Z]{26}$/)
await page.getByRole("rowheader", { name: "ランク" }).locator("visible=true").waitFor()
await page.getByRole("button", { name: "同じ質問で評価する" }).click()
await page.getByText("勝ち負けは A から見たものです").waitFor({ timeout: PATIENCE })
await page.getByText("同じ 5 問の模範解答にある事実 7 個のうち").waitFor()
await combine()
await page.reload() // the address alone says what is compared
await page.getByRole("button", { name: "すべて 5" }).waitFor()
await page.getByRole("link", { name: "エクスポート", exact: true }).first().click()
await page.getByRole("link", { name: "新しいエクスポート" }).first().click()
await page.getByRole("checkbox", { name: "F16", exact: true }).uncheck()
await page.getByRole("checkbox", { name: "Q4_K_M", exact: true }).uncheck()
await page.getByRole("button", { name: "形式を選んでください" }).waitFor()
await page.getByRole("checkbox", { name: "Q8_0", exact: true }).check()
await page.getByRole("button", { name: "エクスポートを開始" }).click()
await page.waitForURL(/\/exports\/[0-9A-Z]{26}$/)
await page.getByText("model-Q8_0.gguf は検証済みです").waitFor({ timeout: PATIENCE })
await page.getByText("ほかのコンピューターで使う").click()
await page.getByText("ollama run").waitFor()
await page.getByText("設定ファイルの中身を見る").click()
await page.getByText("FROM ./model-Q8_0.gguf").waitFor()
const download = page.waitForEvent("download")
await page.getByRole("link", { name: "model-Q8_0.gguf" }).first().click()
assert.equal((await download).suggestedFilename(), "model-Q8_0.gguf")
assert.deepEqual(faults, [])
await browser.close()
console.log("used")
