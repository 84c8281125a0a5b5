// node browser/smoke.mjs ADDRESS all|turned|few [PATH...]: opens those pages, else every page, and looks at each;
// no fault, nothing serious for axe, no scrolling sideways. `all` opens every look anew, `turned` opens each language once
// and turns it dark and narrow where it stands, `few` opens two looks that differ in all.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { launch, open, settled, visit } from "./browser.mjs"
import { PAGES } from "./pages.mjs"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const COLOURS = ["color-contrast", "link-in-text-block"] // what axe finds in another theme and not in this one
const [WIDE, NARROW] = [1280, 360]
const [LANGUAGES, THEMES] = [
  ["ja", "en"],
  ["light", "dark"],
]
const LOOKS = {
  all: [
    ...LANGUAGES.flatMap((language) => THEMES.map((theme) => ({ language, theme, width: WIDE }))),
    ...LANGUAGES.map((language) => ({ language, theme: "light", width: NARROW })),
  ],
  turned: LANGUAGES.map((language) => ({ language, theme: "light", width: WIDE })),
  few: [
    { language: "en", theme: "dark", width: WIDE },
    { language: "ja", theme: "light", width: NARROW },
  ],
}
const [address, which, ...wanted] = process.argv.slice(2)
const paths = wanted.length > 0 ? wanted : PAGES
const browser = await launch()
const found = []
let views = 0

/** Returns what axe finds serious or critical on a page; of some rules, or of all. */
async function serious(page, rules) {
  const { violations } = await page.evaluate(
    async ([source, rules]) => {
      if (!("axe" in window)) new Function(source)()
      return window.axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) })
    },
    [axe, rules],
  )
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `axe: ${id}: ${nodes[0]?.html.slice(0, 160)}`)
}

/** Notes everything that is wrong with a page as it is now. */
async function look(page, faults, name, rules) {
  await settled(page)
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  if (overflow > 0) faults.push(`wider than the screen by ${overflow} px`)
  const all = [...faults.splice(0), ...(await serious(page, rules))]
  found.push(...all.map((fault) => `${name}: ${fault}`))
  views += 1
}

/** Turns an open page dark, and then light and narrow, and back again. */
async function turn(page, faults, name) {
  const { height } = page.viewportSize()
  await page.emulateMedia({ colorScheme: "dark" })
  await look(page, faults, `${name} turned dark`, COLOURS)
  await page.emulateMedia({ colorScheme: "light" })
  await page.setViewportSize({ width: NARROW, height })
  await look(page, faults, `${name} turned narrow`)
  await page.setViewportSize({ width: WIDE, height })
}

for (const shown of LOOKS[which]) {
  const { page, context, faults } = await open(browser, address, shown)
  for (const path of paths) {
    const name = `${path} ${Object.values(shown).join(" ")}`
    try {
      await visit(page, path)
    } catch (error) {
      found.push(`${name}: never ready: ${error.message}`)
      continue
    }
    await look(page, faults, name)
    if (which === "turned") await turn(page, faults, name)
  }
  await context.close()
}
await browser.close()
console.log(found.join("\n") || `${views} views, no fault`)
process.exit(found.length > 0 ? 1 : 0)
