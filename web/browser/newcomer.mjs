// node browser/newcomer.mjs ADDRESS mouse|keyboard: level 1 as a newcomer, from an empty workspace to the tuned answer beside the one before.
import assert from "node:assert/strict"
import { launch, open } from "./browser.mjs"

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
await page.goto(new URL("/", page.url()).href)
await page.getByRole("heading", { name: "最近終わったジョブ" }).waitFor()
await page.getByText("質問応答（架空の店）").first().waitFor()
await page.getByRole("link", { name: "チャットで試す" }).waitFor() // the last step that is left
await page.getByRole("button", { name: "「はじめに」を閉じる" }).click()
assert.equal(await page.getByRole("heading", { name: "はじめに" }).count(), 0)
assert.deepEqual(faults, [])
await browser.close()
console.log(`${clicks} clicks, ${seconds} s`)
