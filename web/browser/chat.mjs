// node browser/chat.mjs ADDRESS JOB: from a finished job to its models before and after training, asked side by side.
import assert from "node:assert/strict"
import { launch, open, settled, visit } from "./browser.mjs"

const QUESTION = "花沢パン屋の食パンはいくらですか？"
const [address, job] = process.argv.slice(2)
const browser = await launch()
const { page, faults } = await open(browser, address)

await visit(page, `/jobs/${job}`)
await page.getByRole("link", { name: "チャットで試す" }).click()
await page.getByRole("heading", { level: 1, name: "チャット" }).waitFor()
await page.getByRole("button", { name: QUESTION }).waitFor() // an example of the job's own data

const box = page.getByRole("textbox", { name: "質問", exact: true })
await box.fill("入力の途中")
await box.dispatchEvent("keydown", { key: "Enter", isComposing: true })
assert.equal(await page.locator("article").count(), 0) // Enter chose a word
await box.fill("一行目")
await box.press("Shift+Enter")
assert.equal(await box.inputValue(), "一行目\n")
await page.getByText("生成の設定").click()
const temperature = page.getByLabel("Temperature", { exact: true })
await temperature.fill("０") // full-width, as an input method leaves it
await temperature.press("Tab")
await box.fill(QUESTION)
await box.press("Enter")
await page.locator("article section").nth(1).waitFor()
await settled(page)
const answers = await page.locator("article section").allInnerTexts()
assert.match(answers[1], /380円/)
assert.doesNotMatch(answers[0], /380円/)
assert.match(answers[1], /\d トークン/) // its speed, too, unless it came in one go

await page.reload() // the conversation stays
assert.match(await page.locator("article section").nth(1).textContent(), /380円/)

await page.getByRole("button", { name: "正しい答えをデータに追加" }).click()
await page.getByRole("textbox", { name: "正しい答え" }).fill("花沢パン屋の食パンは400円です。")
await page.getByRole("button", { name: "追加", exact: true }).click()
await page.getByText("データセットに追加しました。").waitFor()
await page.getByRole("button", { name: "評価の質問に追加" }).click()
await page.getByRole("button", { name: "追加", exact: true }).click()
await page.getByText("評価の質問に追加しました。").waitFor()

await visit(page, `/chat?models=job:gone,job:${job}`) // one column fails alone
await box.fill(QUESTION)
await box.press("Enter")
await page.getByRole("alert").waitFor()
await settled(page)
assert.match(await page.locator("article section").nth(1).textContent(), /380円/)
assert.deepEqual(faults, [])
await browser.close()
console.log("answered")
