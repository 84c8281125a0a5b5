// node browser/composition.mjs ADDRESS FOLDER PATH...: how pages are put together, on a wide screen and on a phone; FOLDER is the server's.
// No path of the server, no sentence twice, one way to the evaluation, no crowded table; what is done less often stands beside
// the heading, the chosen tab and place are seen; errors lie on sheets.
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
