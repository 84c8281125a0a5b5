// node browser/queue.mjs ADDRESS COUNT: the list of jobs while its server dies and comes back; prints the order in which COUNT jobs ended.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const MOST_TIME = 400_000 // milliseconds
const [address, count] = process.argv.slice(2)
const browser = await launch()
const { page } = await open(browser, address)
await visit(page, "/jobs")
await page.getByRole("heading", { name: "実行中・待機中" }).waitFor()
console.log("open") // from here on the server may be killed

const banner = page.getByText("サーバーに再接続しています")
let breaks = 0
const seen = new Set()
const deadline = Date.now() + MOST_TIME
while (Date.now() < deadline) {
  const names = await page.locator("table tbody tr a").allInnerTexts()
  for (const name of names.reverse()) seen.add(name) // the newest stands first
  if (await banner.isVisible()) {
    breaks += 1
    assert.ok(await page.getByRole("heading", { level: 1, name: "訓練" }).isVisible()) // no page goes blank
    console.log("lost")
    await banner.waitFor({ state: "hidden", timeout: MOST_TIME })
    console.log("back")
  }
  const states = await page.locator("table tbody tr").getByText("完了", { exact: true }).count()
  if (states === Number(count)) break
  await page.waitForTimeout(200)
}
const rows = await page.locator("table tbody tr").allInnerTexts()
await browser.close()
console.log(JSON.stringify({ ended: [...seen], rows: rows.length, breaks }))
