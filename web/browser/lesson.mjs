// node browser/lesson.mjs ADDRESS LEVEL LANGUAGE: does what the text of a lesson says, sentence by sentence, as a reader would.
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { launch, open, visit } from "./browser.mjs"

const PATIENCE = 600_000 // milliseconds: how long work of the machine may take beside other work
const SHORTLY = 60_000 // and a page
const [address, level, language] = process.argv.slice(2)
const browser = await launch()
const { page, faults } = await open(browser, address, { language })
let saved
let step

/** What sentences ask for, by how they are worded; the first group is a name of the page. */
const DEEDS = {
  ja: [
    [/「(データファイルを保存)」で/, save],
    [/(?<!下の)「([^」]+)」(?:を開き|を押し|を選びます|を見ます|で見て)/, press],
    [/下の(?:「([^」]+)」|(詳細設定))を開き/, (name, bare) => unfold(name ?? bare)],
    [/「([^」]+)」で、いま保存したファイル/, chooseFile],
    [/「([^」]+)」に ?`([^`]+)` ?と入れ/, enter],
    [/「([^」]+)」に下の内容を入れ/, paste],
    [/「([^」]+)」は ?(?:`([^`]+)`|「([^」]+)」)/, (name, value, other) => choose(name, value ?? other)],
    [/「([^」]+)」で((?:`[^`]+`[、と]?)+)(?:だけ)?を選/, chooseEach],
    [/「([^」]+)」が ([\d.]+)/, shows],
    [/に`([^`]+)`と出れば/, seenSoon],
    [/「([^」]+)」(?:が出|の値|も見て|を読み)/, seen],
    [/「([^」]+)」の表に/, seenTable],
  ],
  en: [
    [/with \*\*(Save the data file)\*\*/, save],
    [/\b(?:[Oo]pen|[Pp]ress|then|Choose|look at|free under) \*\*([^*]+)\*\*(?! below)/, press],
    [/Open (?:\*\*([^*]+)\*\*|the (advanced) settings) below/, (name, bare) => unfold(name ?? bare)],
    [/\*\*([^*]+)\*\*: the one that you have just saved/, chooseFile],
    [/\b[Ee]nter ((?:`[^`]+` as \*\*[^*]+\*\*(?:, | and )?)+)/, enterAll],
    [/put the text below into \*\*([^*]+)\*\*/, paste],
    [/\*\*([^*]+)\*\* is (?:`([^`]+)`|\*\*([^*]+)\*\*)/, (name, value, other) => choose(name, value ?? other)],
    [
      /\b[Cc]hoose\s((?:`[^`]+`(?:,| and)?\s)+)(?:alone )?(?:as|under) \*\*([^*]+)\*\*/,
      (values, name) => chooseEach(name, values),
    ],
    [/(\*\*[^*]+\*\* becomes [\d.]*\d(?:, \*\*[^*]+\*\* [\d.]*\d)*)/, showsAll],
    [/when `([^`]+)` stands/, seenSoon],
    [/\*\*([^*]+)\*\*(?: on the page of the job \([^)]*\))? (?:appears|lies in|should lie|is almost)/, seen],
    [/(?:shows|shape of|Read|Look at) \*\*([^*]+)\*\*/, seen],
    [/\*\*([^*]+)\*\* shows the share/, seenTable],
  ],
}[language]
const SAID = {
  ja: { read: "読みました", finished: "すべて終わりました" },
  en: { read: "I have read this", finished: "All steps are done" },
}[language]

async function save(name) {
  const [download] = await Promise.all([page.waitForEvent("download"), press(name)])
  const buffer = await readFile(await download.path())
  saved = { name: download.suggestedFilename(), mimeType: "application/json", buffer }
}

async function press(name) {
  const named = (role) => page.getByRole(role, { name, exact: true })
  const target = named("button").or(named("link")).first()
  await target.waitFor({ timeout: SHORTLY })
  await target.click({ timeout: SHORTLY })
}

/** Opens what is folded; its line may say more than the name. */
function unfold(name) {
  return page.locator("summary").filter({ hasText: name }).click({ timeout: SHORTLY })
}

/** Enters values into their fields, in the order of a sentence. */
async function enterAll(words) {
  for (const [, value, name] of words.matchAll(/`([^`]+)` as \*\*([^*]+)\*\*/g)) await enter(name, value)
}

/** Takes out what stands in a field and enters something else, as one who types does. */
async function enter(name, value) {
  const field = page.getByLabel(name, { exact: true })
  await field.fill("", { timeout: SHORTLY })
  await field.fill(value)
}

function chooseFile(name) {
  return page.getByLabel(name, { exact: true }).setInputFiles(saved)
}

/** Chooses from a list, or presses the button of a model. */
async function choose(name, value) {
  const field = page.getByLabel(name, { exact: true })
  const model = page.getByRole("button", { name: value }).first()
  await field.or(model).first().waitFor({ timeout: SHORTLY })
  const dialog = page.getByRole("dialog")
  if ((await dialog.getByLabel(name, { exact: true }).count()) === 0) await dialog.waitFor({ state: "hidden" })
  if ((await field.count()) === 0) return model.click()
  const option = field.locator("option").filter({ hasText: value })
  await option.first().waitFor({ state: "attached", timeout: SHORTLY })
  const labels = (await option.allTextContents()).filter((label) => label.startsWith(value))
  const [label] = labels.sort((one, other) => one.length - other.length) // a name may begin another one
  assert.ok(label, `${name} has no ${value}`)
  await field.selectOption({ label })
  return label
}

/** Chooses several things of one name, one by one: of a list, or of boxes under a heading. */
async function chooseEach(name, values) {
  const list = page.getByLabel(name, { exact: true }).and(page.locator("select"))
  await list
    .or(page.getByRole("heading", { name, exact: true }))
    .first()
    .waitFor({ timeout: SHORTLY })
  for (const [, value] of values.matchAll(/`([^`]+)`/g)) {
    if ((await list.count()) === 0) await page.getByLabel(value, { exact: true }).check()
    else await taken(list, await choose(name, value))
  }
}

/** Waits until a list shows what was chosen, or offers it no longer. */
async function taken(list, label) {
  for (const began = Date.now(); Date.now() - began < SHORTLY; await page.waitForTimeout(50)) {
    const labels = await list.locator("option").allTextContents()
    if (!labels.includes(label) || (await list.locator("option:checked").textContent()) === label) return
  }
  throw new Error(`${label} is not taken`)
}

/** Pastes what a step shows for pasting. */
function paste(name) {
  const [, content] = step.text.match(/```yaml\n([\s\S]*?)```/)
  return page.getByLabel(name, { exact: true }).fill(content)
}

function seenSoon(words) {
  return page.getByText(words).first().waitFor({ timeout: SHORTLY })
}

function seenTable(name) {
  return page.getByRole("table", { name, exact: true }).waitFor({ timeout: PATIENCE })
}

/** Waits for words that can be seen: a narrow screen's buttons stand in the page, too. */
function seen(words) {
  const shown = page.getByText(words, { exact: true }).and(page.locator(":visible"))
  return shown.first().waitFor({ timeout: PATIENCE })
}

async function shows(name, value) {
  const field = page.getByLabel(name, { exact: true }).first()
  await page.waitForFunction(
    ([element, wanted]) => Number(element.value) === wanted,
    [await field.elementHandle(), Number(value)],
    { timeout: PATIENCE }, // the plan says it, which a busy machine makes slowly
  )
}

async function showsAll(words) {
  for (const [, name, value] of words.matchAll(/\*\*([^*]+)\*\* (?:becomes )?([\d.]*\d)/g)) await shows(name, value)
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
    ([path, wanted]) => fetch(path, { headers: { "Accept-Language": wanted } }).then((answer) => answer.json()),
    [`/api/tutorials/${level}`, language],
  )

async function isDone(id) {
  for (const began = Date.now(); Date.now() - began < PATIENCE; await page.waitForTimeout(500)) {
    const now = (await lessonNow()).steps.find((one) => one.id === id)
    if (now.state === "done") return
    assert.notEqual(now.state, "differs", now.texts.join(" "))
  }
  throw new Error(`${id} is not done`)
}

let num = 0
for (step of (await lessonNow()).steps) {
  if (step.kind === "dataset") await visit(page, `/tutorials/${level}`)
  for (const { deed, names } of deedsOf(step.text)) {
    await deed(...names).catch(async (error) => {
      const shown = await page.locator("main").textContent()
      throw new Error(`${step.id}, ${names.join(" ")}: ${error.message}\n${shown}`)
    })
    num += 1
  }
  if (!["read", "chat"].includes(step.kind)) await isDone(step.id)
}
await visit(page, `/tutorials/${level}`)
const marks = page.getByRole("button", { name: SAID.read })
for (let left = await marks.count(); left > 0; left -= 1) {
  await marks.first().click()
  await page.waitForFunction(
    ([words, count]) =>
      [...document.querySelectorAll("button")].filter((one) => one.textContent === words).length < count,
    [SAID.read, left],
  )
}
await page.getByRole("heading", { name: SAID.finished }).waitFor()
assert.deepEqual(faults, [])
await browser.close()
console.log(`${num} deeds`)
