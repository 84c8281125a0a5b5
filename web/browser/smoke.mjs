// node browser/smoke.mjs ADDRESS all|few [PATH...]: opens those pages, else every page, in each look or in two that
// differ in all; no fault, nothing serious for axe, no scrolling sideways.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { launch, open, visit } from "./browser.mjs"
import { PAGES } from "./pages.mjs"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const LOOKS = [
  ...["ja", "en"].flatMap((language) => ["light", "dark"].map((theme) => ({ language, theme, width: 1280 }))),
  ...["ja", "en"].map((language) => ({ language, theme: "light", width: 360 })),
]
const FEW = [
  { language: "en", theme: "dark", width: 1280 },
  { language: "ja", theme: "light", width: 360 },
]
const [address, which, ...wanted] = process.argv.slice(2)
const looks = which === "few" ? FEW : LOOKS
const paths = wanted.length > 0 ? wanted : PAGES

/** Returns what axe finds serious or critical on a page. */
async function serious(page) {
  const { violations } = await page.evaluate(async (source) => {
    if (!("axe" in window)) new Function(source)()
    return window.axe.run(document, { resultTypes: ["violations"] })
  }, axe)
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `axe: ${id}: ${nodes[0]?.html.slice(0, 160)}`)
}

const browser = await launch()
const found = []
for (const look of looks) {
  const { page, context, faults } = await open(browser, address, look)
  for (const path of paths) {
    try {
      await visit(page, path)
    } catch (error) {
      found.push(`${path} ${Object.values(look).join(" ")}: never ready: ${error.message}`)
      continue
    }
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    if (overflow > 0) faults.push(`wider than the screen by ${overflow} px`)
    const all = [...faults.splice(0), ...(await serious(page))]
    found.push(...all.map((fault) => `${path} ${Object.values(look).join(" ")}: ${fault}`))
  }
  await context.close()
}
await browser.close()
console.log(found.join("\n") || `${looks.length * paths.length} views, no fault`)
process.exit(found.length > 0 ? 1 : 0)
