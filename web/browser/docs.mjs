// node browser/docs.mjs ADDRESS TOKEN: the API's own page at /docs lists every route, asks one as who is signed in and one
// with the token, and loads nothing from elsewhere.
import assert from "node:assert/strict"
import { launch, open } from "./browser.mjs"

const [address, token] = process.argv.slice(2)
const browser = await launch()
const { page, faults } = await open(browser, address)
const document = await (await page.request.get(new URL("/api/openapi.json", page.url()).href)).json()
const routes = Object.values(document.paths).flatMap((operations) => Object.keys(operations))

await page.goto(new URL("/docs", page.url()).href)
await page.locator(".opblock").first().waitFor()
assert.equal(await page.locator(".opblock").count(), routes.length)

/** Tries a route out and returns the status of its answer. */
async function tried(path) {
  const route = page.locator(".opblock", { has: page.locator(`[data-path="${path}"]`) }).first()
  if (!(await route.locator(".try-out").isVisible())) await route.locator(".opblock-summary-control").first().click()
  const start = route.getByRole("button", { name: "Try it out" })
  if (await start.isVisible()) await start.click()
  await route.getByRole("button", { name: "Execute" }).click()
  const status = route.locator(".live-responses-table .response-col_status").last()
  await status.waitFor()
  return (await status.textContent()).trim().slice(0, 3)
}

assert.equal(await tried("/api/presets"), "200")
await page.context().clearCookies()
assert.equal(await tried("/api/settings"), "401")
await page.getByRole("button", { name: "Authorize" }).first().click()
await page.locator(".auth-container input").fill(token)
await page.locator(".auth-container").getByRole("button", { name: "Apply credentials" }).click()
await page.getByRole("button", { name: "Close" }).last().click()
assert.equal(await tried("/api/models"), "200")
await browser.close()
assert.deepEqual(
  faults.filter((fault) => !fault.includes("status of 401")), // which was asked for
  [],
)
console.log(`${routes.length} routes`)
