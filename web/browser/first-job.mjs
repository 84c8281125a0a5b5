// node browser/first-job.mjs ADDRESS: with data in the workspace, a newcomer trains the bundled model by three clicks.
import assert from "node:assert/strict"
import { launch, open } from "./browser.mjs"

const PATIENCE = 120_000
const browser = await launch()
const { page, faults } = await open(browser, process.argv[2])
await page.getByRole("link", { name: "学習を始める" }).first().click()
await page.getByRole("button", { name: "軽量 (r=4)" }).click()
await page.getByText("学習するトークン").waitFor()
await page.getByRole("button", { name: "訓練を開始" }).click({ timeout: PATIENCE })
await page.waitForURL(/\/jobs\/[0-9A-Z]{26}$/)
const summary = page.locator("main section").first()
await summary.getByText("学習中").waitFor({ timeout: PATIENCE })
await page.getByText(/ステップ \d+ \/ \d+/).waitFor({ timeout: PATIENCE })
await page.reload() // nothing is lost: the page is a view
await summary.getByText("完了").waitFor({ timeout: PATIENCE })
await page.getByText("数値の表").first().click()
await page.locator("figure").first().locator("tbody tr").nth(5).waitFor()
const views = page.getByRole("navigation", { name: "ジョブの表示" })
await views.getByRole("link", { name: "設定" }).click()
await page.getByRole("cell", { name: "lora_alpha" }).waitFor()
await page.getByText("base_model: nano").waitFor()
await views.getByRole("link", { name: "ファイル", exact: true }).click()
await page.getByRole("link", { name: "adapter/adapter_model.safetensors" }).waitFor()
assert.deepEqual(faults, [])
await browser.close()
console.log("trained")
