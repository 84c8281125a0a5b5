// node browser/manual-pictures.mjs ADDRESS FOLDER NAME=PATH...: a picture of each page for the manual, in both languages.
import { join } from "node:path"
import { launch, open, settled, visit } from "./browser.mjs"

const WIDTH = 1280
const LONGEST = 1000
const ANSWERED = 600_000 // milliseconds for two models to be loaded and to answer beside a training
const [address, folder, ...wanted] = process.argv.slice(2)

/** Asks the first of the questions that a chat proposes, so that its picture shows answers. */
async function askFirst(page) {
  await page.getByRole("button", { name: /？$/ }).first().click()
  await page.locator("article section").nth(1).waitFor()
  await settled(page, { timeout: ANSWERED })
}

const browser = await launch()
for (const language of ["ja", "en"]) {
  const { page, context } = await open(browser, address, { language, width: WIDTH })
  for (const picture of wanted) {
    const [, name, path] = /^([\w-]+)=(.+)$/.exec(picture) ?? []
    await visit(page, path)
    await page.waitForTimeout(300) // charts are drawn behind their data
    await settled(page)
    if (name === "chat") await askFirst(page)
    const height = Math.min(LONGEST, await page.evaluate(() => document.documentElement.scrollHeight))
    await page.screenshot({
      path: join(folder, `${name}.${language}.png`),
      fullPage: true,
      clip: { x: 0, y: 0, width: WIDTH, height },
    })
  }
  await context.close()
}
await browser.close()
