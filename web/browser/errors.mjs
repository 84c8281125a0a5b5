// node browser/errors.mjs ADDRESS PROVOCATIONS [EVERY]: each wrong request, really asked; the page has to show cause, next step and code in each language.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { launch, open, settled, visit } from "./browser.mjs"

const [address, file, every = "1"] = process.argv.slice(2)
const provocations = JSON.parse(readFileSync(file, "utf8")).filter((_, index) => index % Number(every) === 0)
const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/
const TRACE = /Traceback|\.py\b|line \d+, in |\bat .+:\d+:\d+|\b[A-Z]\w+(Error|Exception)\b:/
const browser = await launch()
const codes = new Set()
const bad = []

/** Asks the server wrongly from the page, as a form of it would, and returns the answer. */
function provoke(page, { method, path, body, file: upload }, language) {
  return page.evaluate(
    async ([method, path, body, upload, language]) => {
      const headers = { "Accept-Language": language, "Idempotency-Key": crypto.randomUUID() }
      let content
      if (upload) {
        content = new FormData()
        content.append("file", new File([Uint8Array.from(upload.bytes)], upload.name))
        content.append("name", upload.name)
      } else if (body !== undefined) {
        headers["Content-Type"] = "application/json"
        content = typeof body === "string" ? body : JSON.stringify(body)
      }
      const answer = await fetch(path, { method, headers, body: content })
      return { status: answer.status, text: await answer.text() }
    },
    [method, path, body, upload, language],
  )
}

/** Returns what is wrong with an error as the page shows it. */
async function faultsOf(shown, { text }, language) {
  const problem = JSON.parse(text)
  codes.add(problem.code)
  const words = await shown.textContent()
  const missing = ["detail", "hint", "code"].filter(
    (part) => !problem[part] || !plain(words).includes(plain(problem[part])),
  )
  return [
    ...missing.map((part) => `no ${part}`),
    ...(TRACE.test(words) ? ["a stack trace"] : []),
    ...(JAPANESE.test(problem.detail + problem.hint) === (language === "ja") ? [] : [`not in ${language}`]),
  ]
}

/** Waits until the error says what it has to: the one before it may still stand there; what never comes is a fault of the page. */
async function shownSoon(shown, detail) {
  await shown
    .filter({ hasText: detail })
    .waitFor({ timeout: 10_000 })
    .catch(() => {})
}

const plain = (words) => words.replace(/\s+/g, "")

for (const language of ["ja", "en"]) {
  const { page } = await open(browser, address, { language })
  let answer
  let asked = 0
  await page.route("**/api/doctor", (route) => {
    asked += 1
    return answer
      ? route.fulfill({ status: answer.status, body: answer.text, contentType: "application/problem+json" })
      : route.continue()
  })
  await visit(page, "/system")
  const again = page.getByRole("button", { name: language === "ja" ? "もう一度調べる" : "Check again" })
  for (const provocation of provocations) {
    answer = await provoke(page, provocation, language)
    if (answer.status < 400) {
      bad.push(`${provocation.name} was taken: ${answer.status}`)
      continue
    }
    await settled(page) // what may be passing is asked for again, until the page gives up
    const before = asked
    await again.click()
    while (asked === before) await page.waitForTimeout(20)
    await settled(page)
    const shown = page.getByRole("alert").first()
    await shownSoon(shown, JSON.parse(answer.text).detail)
    const faults = await faultsOf(shown, answer, language)
    bad.push(...faults.map((fault) => `${provocation.name} (${language}): ${fault}: ${answer.text.slice(0, 300)}`))
  }
  await page.context().close()
}
await browser.close()
assert.deepEqual(bad, [])
console.log(JSON.stringify({ provoked: provocations.length, codes: [...codes].sort() }))
