// node browser/ime.mjs ADDRESS JOB DATASET: Enter that ends a composition does nothing else, in every field that takes words.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const [address, job, dataset] = process.argv.slice(2)
const OPENED = { 名前を変更: "input[type=text]", データセットをアップロード: "input[type=text], textarea" }
const PLACES = [
  "/jobs",
  "/jobs/new",
  `/jobs/${job}`,
  `/jobs/${job}?tab=log`,
  "/datasets",
  `/datasets/${dataset}`,
  "/models",
  "/chat",
  "/chat?mode=text",
]
const FIELDS = "main input[type=text], main input[type=search], main textarea"
const browser = await launch()
const { page, context, faults } = await open(browser, address)
const devtools = await context.newCDPSession(page)
const changes = []
page.on("request", (request) => {
  const isQuestion = request.method() === "GET" || /\/(plan|recipes\/\w+)$/.test(request.url())
  if (!isQuestion) changes.push(`${request.method()} ${request.url()}`)
})

/** Composes a word in a field as an input method does, presses its Enter, and takes the word. */
async function compose(field) {
  await field.focus()
  await devtools.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 })
  const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 } // as an input method sends it
  await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter })
  await devtools.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter })
  const during = await field.inputValue()
  await devtools.send("Input.insertText", { text: "日本" })
  assert.match(during, /にほん/)
  await page.evaluate(() => new Promise((later) => setTimeout(later))) // a dialog takes no Escape before: it might be the word's
}

async function check(fields, where) {
  const before = page.url()
  for (let place = 0; place < (await fields.count()); place += 1) {
    const field = fields.nth(place)
    if (!(await field.isVisible()) || !(await field.isEditable())) continue
    await compose(field)
    tried += 1
    assert.equal(page.url(), before, `${where} went on`)
    assert.deepEqual(changes, [], `${where} sent something`)
    assert.match(await field.inputValue(), /日本/)
  }
}

let tried = 0
for (const path of PLACES) {
  await visit(page, path)
  await page.evaluate(() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true
  })
  await check(page.locator(FIELDS), path)
  for (const [name, inside] of Object.entries(OPENED)) {
    const button = page.getByRole("button", { name }).first()
    if (!(await button.isVisible())) continue
    await button.click()
    const dialog = page.getByRole("dialog")
    await dialog.waitFor()
    await check(dialog.locator(inside), name)
    assert.ok(await dialog.isVisible(), `${name} closed`)
    await page.keyboard.press("Escape")
    await dialog.waitFor({ state: "hidden" })
  }
}
assert.deepEqual(faults, [])
await browser.close()
console.log(`${tried} fields`)
