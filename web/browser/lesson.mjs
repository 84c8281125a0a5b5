// node browser/lesson.mjs ADDRESS LEVEL: does what the Japanese text of a lesson says, sentence by sentence, as a reader would.
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { launch, open, visit } from "./browser.mjs"

const PATIENCE = 180_000 // milliseconds
const [address, level] = process.argv.slice(2)
const browser = await launch()
const { page, faults } = await open(browser, address)
let saved

/** What sentences ask for, by how they are worded; the first group is a name of the page. */
const DEEDS = [
  [/「(データファイルを保存)」で/, save],
  [/「([^」]+)」を(?:開き|押し|見ます)/, press],
  [/「([^」]+)」で、いま保存したファイル/, chooseFile],
  [/「([^」]+)」に ?`([^`]+)` ?と入れ/, (name, value) => page.getByLabel(name, { exact: true }).fill(value)],
  [/「([^」]+)」は ?(?:`([^`]+)`|「([^」]+)」)/, (name, value, other) => choose(name, value ?? other)],
  [/「([^」]+)」が ([\d.]+)/, shows],
  [/「([^」]+)」(?:が出|の値)/, (name) => page.getByText(name, { exact: true }).first().waitFor({ timeout: PATIENCE })],
]

async function save(name) {
  const [download] = await Promise.all([page.waitForEvent("download"), press(name)])
  const buffer = await readFile(await download.path())
  saved = { name: download.suggestedFilename(), mimeType: "application/json", buffer }
}

async function press(name) {
  const named = (role) => page.getByRole(role, { name, exact: true })
  const target = named("button").or(named("link")).first()
  await target.waitFor({ timeout: PATIENCE })
  await target.click({ timeout: PATIENCE })
}

function chooseFile(name) {
  return page.getByLabel(name, { exact: true }).setInputFiles(saved)
}

/** Chooses from a list, or presses the button of a model. */
async function choose(name, value) {
  const field = page.getByLabel(name, { exact: true })
  if ((await field.count()) === 0) return page.getByRole("button", { name: value }).first().click()
  const options = await field.locator("option").allTextContents()
  const label = options.find((option) => option.startsWith(value))
  assert.ok(label, `${name} has no ${value}`)
  await field.selectOption({ label })
}

async function shows(name, value) {
  const field = page.getByLabel(name, { exact: true }).first()
  await page.waitForFunction(
    ([element, wanted]) => Number(element.value) === wanted,
    [await field.elementHandle(), Number(value)],
  )
}

/** Returns what a text asks for, in its order: boxes, tables and commands ask for nothing. */
function deedsOf(text) {
  const spoken = text
    .replace(/```[\s\S]*?```/g, "")
    .split("\n")
    .filter((line) => !/^[>|]/.test(line))
    .join("\n")
  const found = DEEDS.flatMap(([pattern, deed]) =>
    [...spoken.matchAll(new RegExp(pattern, "g"))].map((match) => ({ at: match.index, deed, names: match.slice(1) })),
  )
  return found.sort((one, other) => one.at - other.at)
}

const lessonNow = () =>
  page.evaluate(
    (path) => fetch(path, { headers: { "Accept-Language": "ja" } }).then((answer) => answer.json()),
    `/api/tutorials/${level}`,
  )

async function isDone(id) {
  for (const began = Date.now(); Date.now() - began < PATIENCE; await page.waitForTimeout(500)) {
    const step = (await lessonNow()).steps.find((one) => one.id === id)
    if (step.state === "done") return
    assert.notEqual(step.state, "differs", step.texts.join(" "))
  }
  throw new Error(`${id} is not done`)
}

let num = 0
for (const step of (await lessonNow()).steps) {
  if (step.kind === "dataset") await visit(page, `/tutorials/${level}`)
  for (const { deed, names } of deedsOf(step.text)) {
    await deed(...names)
    num += 1
  }
  if (!["read", "chat"].includes(step.kind)) await isDone(step.id)
}
await visit(page, `/tutorials/${level}`)
const marks = page.getByRole("button", { name: "読みました" })
for (let left = await marks.count(); left > 0; left -= 1) {
  await marks.first().click()
  await page.waitForFunction(
    ([words, count]) =>
      [...document.querySelectorAll("button")].filter((one) => one.textContent === words).length < count,
    ["読みました", left],
  )
}
await page.getByRole("heading", { name: "すべて終わりました" }).waitFor()
assert.deepEqual(faults, [])
await browser.close()
console.log(`${num} deeds`)
