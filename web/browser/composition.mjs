// node browser/composition.mjs ADDRESS FOLDER PATH...: how pages are put together, on a wide screen and on a phone; FOLDER is the server's.
// No path of the server, no sentence twice, one way to the evaluation, no crowded table, no unit in every cell, no words outside
// their box, nothing left empty beside what is long; what is done less often stands beside the heading, the chosen tab and place
// are seen; errors lie on sheets.
import assert from "node:assert/strict"
import { launch, open, settled, visit } from "./browser.mjs"
import { PAGES } from "./pages.mjs"
import { CODE, withhold } from "./withhold.mjs"

const [address, folder, ...paths] = process.argv.slice(2)
const LOOKS = [
  { language: "ja", width: 360, height: 780 },
  { language: "en", width: 1280 },
]
const NAMES_PLACES = /tab=(settings|log)|^\/(system|settings)$/ // a recipe, a log and the machine are for who works on it
const isJob = (path) => /^\/jobs\/\w{26}(\?tab=diagnosis)?$/.test(path)
const faults = []
const browser = await launch()

/** Returns the sentences that stand more than once in the paragraphs of a page. */
function repeated(page) {
  return page.locator("main p").evaluateAll((all) => {
    const words = all.filter((one) => one.checkVisibility()).map((one) => one.textContent.trim())
    const sentences = words.flatMap((text) => text.split(/(?<=[。.])\s*/)).filter((text) => text.length >= 12)
    return sentences.filter((text, place) => sentences.indexOf(text) < place)
  })
}

/** Returns the cells of tables whose words are wider than they are, and so lie over others. */
function crowded(page) {
  return page
    .locator("main :is(td, th)")
    .evaluateAll((all) =>
      all.filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent),
    )
}

/** Returns the heads of columns whose cells all repeat a unit that the head could say once. */
function unitsInCells(page) {
  return page.locator("main table").evaluateAll((all) =>
    all.flatMap((table) => {
      const rows = [...table.querySelectorAll("tbody tr")].filter((row) => row.children.length > 1)
      const heads = [...table.querySelectorAll("thead tr > *")].map(({ textContent }) => textContent)
      const hasUnit = (place) =>
        rows.every((row) =>
          /^[\d,]+ ?(例|件|行|文字|トークン|examples?|rows?|characters?|tokens?)$/.test(
            row.children[place]?.textContent,
          ),
        )
      return rows.length > 0 ? heads.filter((_, place) => hasUnit(place)) : []
    }),
  )
}

/** Returns words that reach out of the box that holds them; what scrolls holds its own. */
function brokenOut(page) {
  return page.evaluate(() => {
    const found = []
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT)
    const reachesOut = (box, rects) => {
      const style = getComputedStyle(box)
      if (["inline", "contents"].includes(style.display) || /auto|scroll/.test(style.overflowX)) return false
      const { left, right } = box.getBoundingClientRect()
      return rects.some((rect) => rect.right > right + 1.5 || rect.left < left - 1.5)
    }
    while (texts.nextNode()) {
      const { parentElement: holder, textContent: words } = texts.currentNode
      if (!words.trim() || !holder.checkVisibility() || holder.closest("option, figure, pre")) continue
      const range = document.createRange()
      range.selectNodeContents(texts.currentNode)
      const rects = [...range.getClientRects()]
      const isHidden = (box) => getComputedStyle(box).position === "absolute" && box.clientWidth <= 1 // for screen readers alone
      const boxes = []
      for (let box = holder; box.tagName !== "MAIN"; box = box.parentElement) boxes.push(box)
      if (!boxes.some(isHidden) && boxes.some((box) => reachesOut(box, rects))) found.push(words.trim().slice(0, 40))
    }
    return found
  })
}

const MOST_EMPTY = 500 // pixels beside sheets

/** Returns how many pixels in a row have sheets only at the left; what is sticky stands beside all. */
function emptyAtRight(page) {
  return page.evaluate(() => {
    const sheets = [...document.querySelectorAll("main section")]
    const at = document.querySelector("main").getBoundingClientRect().right - 160
    const beside = sheets
      .filter((one) => one.getBoundingClientRect().right > at)
      .map((one) => one.getBoundingClientRect())
    const isSticky = (one) => getComputedStyle(one).position === "sticky"
    if ([...document.querySelectorAll("main *")].some((one) => isSticky(one) && one.getBoundingClientRect().right > at))
      return 0
    const end = Math.max(0, ...sheets.map((one) => one.getBoundingClientRect().bottom))
    const tops = [...beside.sort((one, other) => one.top - other.top), { top: end, bottom: end }]
    let [reached, most] = [tops[0].top, 0]
    for (const { top, bottom } of tops) {
      most = Math.max(most, top - reached)
      reached = Math.max(reached, bottom)
    }
    return most
  })
}

/** Tells whether the button behind which more stands is beside the heading, true where there is none. */
async function isMoreBeside(page) {
  const more = page.getByRole("button", { name: /その他の操作|More actions/ })
  if ((await more.count()) === 0) return true
  const [button, heading] = await Promise.all([
    more.boundingBox(),
    page.getByRole("heading", { level: 1 }).locator("..").boundingBox(),
  ])
  return button.y < heading.y + heading.height && button.x >= heading.x + heading.width
}

/** Tells whether the chosen tab lies in sight, true where there are no tabs. */
async function isTabInSight(page) {
  const tab = page.locator("main nav a[aria-current=page]")
  if ((await tab.count()) === 0) return true
  const box = await tab.first().boundingBox()
  return box.x >= 0 && box.x + box.width <= page.viewportSize().width
}

/** Tells whether the bar at the bottom of a phone marks one of its places. */
async function isPlaceMarked(page) {
  const bar = page.locator("nav.fixed")
  return !(await bar.isVisible()) || (await bar.locator("[aria-current]").count()) === 1
}

for (const look of LOOKS) {
  const { page, context } = await open(browser, address, look)
  for (const path of [...PAGES, ...paths]) {
    const note = (fault) => faults.push(`${path} ${look.width}: ${fault}`)
    await visit(page, path)
    await settled(page)
    const words = await page.locator("main").textContent()
    if (words.includes(folder) && !NAMES_PLACES.test(path)) note("says where the server keeps its files")
    if (!(await isMoreBeside(page))) note("what is done less often stands in a row of its own")
    if (!(await isTabInSight(page))) note("the chosen tab is out of sight")
    if (path !== "/nowhere" && !(await isPlaceMarked(page))) note("the bar does not say where this is")
    for (const words of await crowded(page)) note(`a cell too narrow for its words: ${words}`)
    for (const head of await unitsInCells(page)) note(`a unit in every cell below: ${head}`)
    for (const words of await brokenOut(page)) note(`words outside their box: ${words}`)
    const empty = look.width > 1000 ? await emptyAtRight(page) : 0
    if (empty > MOST_EMPTY) note(`nothing stands at the right of ${Math.round(empty)} pixels`)
    if (!path.startsWith("/jobs/")) continue
    const ways = await page.locator('main a[href*="tab=evaluation"]:not(nav a)').count()
    if (ways > 1) note(`leads to the evaluation by ${ways} links`)
    if (isJob(path)) for (const sentence of await repeated(page)) note(`says twice: ${sentence}`)
  }
  await context.close()
}

for (const look of LOOKS) {
  const { page, context } = await open(browser, address, look)
  await withhold(page, look.language, true)
  for (const path of [...PAGES, ...paths]) {
    await page.goto(new URL(path, address).href)
    await page.getByRole("heading", { level: 1 }).waitFor()
    await settled(page)
    const alerts = await page
      .locator("main [role=alert]")
      .evaluateAll((all) =>
        all.map((one) => ({ words: one.textContent, isOnSheet: one.closest("section, [role=dialog]") !== null })),
      )
    const bad = alerts.filter(({ words, isOnSheet }) => !isOnSheet || !words.includes(CODE))
    if (bad.length > 0) faults.push(`${path} ${look.width}: an error without its sheet or code: ${bad[0].words}`)
  }
  await context.close()
}
await browser.close()
assert.deepEqual(faults, [])
