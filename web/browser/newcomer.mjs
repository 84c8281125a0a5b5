// node browser/newcomer.mjs ADDRESS mouse|keyboard: level 1 as a newcomer, from an empty workspace to the tuned answer beside
// the one before, and what is left of it on the pages of the job and on the dashboard.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const MOST_CLICKS = 8
const MOST_TIME = 120_000 // milliseconds
const [address, hand] = process.argv.slice(2)
const browser = await launch()
const { page, faults } = await open(browser, address)
let clicks = 0

/** Presses something by its words, as the hand does: by a click, or by going there with Tab and pressing Enter. */
async function press(role, name) {
  const target = page.getByRole(role, { name }).first()
  await target.waitFor({ timeout: MOST_TIME })
  await page.waitForFunction((element) => !element.disabled && !element.ariaDisabled, await target.elementHandle(), {
    timeout: MOST_TIME,
  })
  clicks += 1
  if (hand === "mouse") return target.click()
  for (let tabs = 0; tabs < 200; tabs += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
  }
  throw new Error(`no way by keyboard to ${name}`)
}

const began = Date.now()
await press("button", "サンプルで試す")
await page.waitForURL(/\/jobs\/new\?dataset=/)
await press("button", "訓練を開始")
await page.waitForURL(/\/jobs\/[0-9A-Z]{26}$/)
const job = page.url()
await page
  .getByText(/ステップ \d+ \/ \d+/)
  .first()
  .waitFor({ timeout: MOST_TIME })
await page.reload() // nothing is lost: the page is a view
await press("link", "覚えたか評価する") // there when the training has succeeded
await press("button", "評価を始める")
const question = page.getByRole("listitem").filter({ hasText: "花沢パン屋の食パンはいくらですか？" }).first()
await question.getByText("学習後").waitFor({ timeout: MOST_TIME })
const seconds = Math.round((Date.now() - began) / 1000)
const answer = (side) => question.getByText(side, { exact: true }).locator("xpath=..").textContent()
assert.doesNotMatch(await answer("学習前"), /380円/)
assert.match(await answer("学習後"), /380円/)
assert.ok(clicks <= MOST_CLICKS, `${clicks} clicks`)
assert.ok(seconds * 1000 <= MOST_TIME, `${seconds} s`)
await visit(page, job)
for (const name of ["チャットで試す", "エクスポート"])
  assert.equal(await page.getByRole("main").getByRole("link", { name, exact: true }).count(), 1, name) // each offered once
await page.getByText("数値の表").first().click()
await page.locator("figure").first().locator("tbody tr").nth(5).waitFor()
const views = page.getByRole("navigation", { name: "ジョブの表示" })
await views.getByRole("link", { name: "設定" }).click()
await page.getByRole("cell", { name: "lora_alpha" }).waitFor()
await page.getByText("base_model: nano").waitFor()
await views.getByRole("link", { name: "ファイル", exact: true }).click()
await page.getByRole("link", { name: "adapter/adapter_model.safetensors" }).waitFor()
await visit(page, "/")
await page.getByRole("heading", { name: "最近終わったジョブ" }).waitFor()
const ended = page.locator("section").filter({ hasText: "最近終わったジョブ" })
await ended.getByText("質問応答（架空の店）").first().waitFor()
await ended.getByText(/\d \/ \d+/).waitFor() // the facts that it learned
await ended.getByRole("link", { name: "チャットで試す" }).waitFor() // the step that is left
await page.getByRole("button", { name: "「はじめに」を閉じる" }).click()
assert.equal(await page.getByRole("heading", { name: "はじめに" }).count(), 0)
assert.deepEqual(faults, [])
await browser.close()
console.log(`${clicks} clicks, ${seconds} s`)
