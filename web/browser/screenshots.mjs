// node browser/screenshots.mjs ADDRESS FOLDER [PATH...]: pictures for human eyes; `all` stands for every page without an id.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { launch, open, visit } from "./browser.mjs"
import { PAGES } from "./pages.mjs"

const [address, folder, ...wanted] = process.argv.slice(2)
const LOOKS = [
  { language: "ja", theme: "light", width: 1280 },
  { language: "ja", theme: "dark", width: 1280 },
  { language: "en", theme: "light", width: 1280 },
  { language: "ja", theme: "light", width: 360, height: 780 },
]

mkdirSync(folder, { recursive: true })
const browser = await launch()
for (const look of LOOKS) {
  const { page, context } = await open(browser, address, look)
  for (const path of wanted.flatMap((path) => (path === "all" ? PAGES : path))) {
    await visit(page, path)
    await page.waitForLoadState("networkidle", { timeout: 1500 }).catch(() => {}) // the stream of events stays open
    const name = path.replace(/[^\w]+/g, "-").replace(/^-|-$/g, "") || "home"
    await page.screenshot({
      path: join(folder, `${name}.${look.language}.${look.theme}.${look.width}.png`),
      fullPage: true,
    })
  }
  await context.close()
}
await browser.close()
