// node browser/screenshots.mjs ADDRESS FOLDER STATE [PATH...]: pictures for human eyes; `all` stands for every page without an id.
// STATE is ready (every look), or empty, loading, failed or gone (two looks that differ in all): the server does not answer,
// answers with an error, or is lost behind what the page has shown.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { launch, open, settled, visit } from "./browser.mjs"
import { PAGES } from "./pages.mjs"
import { withhold } from "./withhold.mjs"

const [address, folder, state, ...wanted] = process.argv.slice(2)
const SIZES = [
  { width: 1280, height: 900 },
  { width: 360, height: 780 },
]
const LOOKS = SIZES.flatMap((size) =>
  ["ja", "en"].flatMap((language) => ["light", "dark"].map((theme) => ({ language, theme, ...size }))),
)
const looks =
  state === "ready"
    ? LOOKS
    : LOOKS.filter(({ language, theme, width }) => `${language} ${theme}` === (width > 360 ? "ja light" : "en dark"))

/** Cuts the stream of events, and waits until the page says so. */
async function lose(page) {
  await page.route("**/api/events", (route) => route.abort())
  await page.reload()
  await page.locator("header + [role=status] p").waitFor()
}

mkdirSync(folder, { recursive: true })
const browser = await launch()
for (const look of looks) {
  const { page, context } = await open(browser, address, look)
  if (state === "loading" || state === "failed") await withhold(page, look.language, state === "failed")
  for (const path of wanted.flatMap((path) => (path === "all" ? PAGES : path))) {
    if (state === "loading") {
      await page.goto(new URL(path, address).href)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.waitForTimeout(400) // skeletons come late
    } else {
      await visit(page, path)
      if (state === "gone") await lose(page)
      await page.waitForTimeout(300) // charts are drawn behind their data
      await settled(page)
    }
    const name = path.replace(/[^\w]+/g, "-").replace(/^-|-$/g, "") || "home"
    await page.screenshot({
      path: join(folder, `${name}.${state}.${look.language}.${look.theme}.${look.width}.png`),
      fullPage: true,
    })
  }
  await context.close()
}
await browser.close()
