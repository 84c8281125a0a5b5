// node browser/reloads.mjs ADDRESS JOB TIMES: reloads the page of a running job at random moments; prints the curve it shows at the end.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const MOST_TIME = 300_000 // milliseconds
const LONGEST_LOOK = 700 // milliseconds between two reloads
const STATES = ["待機中", "準備中", "学習中", "完了"] // in the order in which a job goes through them
const [address, job, times] = process.argv.slice(2)
const browser = await launch()
const { page, faults } = await open(browser, address)
const summary = page.locator("main section").first()
let last = STATES.indexOf("学習中")
let numRunning = 0
let lastStep = 0

await visit(page, `/jobs/${job}`)
await summary.getByText("学習中").waitFor({ timeout: MOST_TIME })
for (let reload = 0; reload < Number(times); reload += 1) {
  await visit(page, `/jobs/${job}`)
  const words = await summary.textContent()
  const state = STATES.findIndex((name) => words.includes(name))
  assert.ok(state >= last, `${words} after ${STATES[last]}`)
  last = state
  if (STATES[state] === "学習中") numRunning += 1
  const step = Number(/ステップ ([\d,]+)/.exec(words)?.[1]?.replace(",", "") ?? lastStep)
  assert.ok(step >= lastStep, `step ${step} after ${lastStep}`)
  lastStep = step
  await page.waitForTimeout(Math.random() * LONGEST_LOOK)
}
await summary.getByText("完了", { exact: true }).waitFor({ timeout: MOST_TIME })
await page.getByText("数値の表").first().click()
const rows = page.locator("figure").first().locator("tbody tr")
await rows.nth(5).waitFor()
const curve = await rows.evaluateAll((found) =>
  found.map((row) => [...row.cells].slice(0, 2).map((cell) => cell.textContent)),
)
assert.deepEqual(faults, [])
await browser.close()
console.log(JSON.stringify({ curve, numRunning }))
