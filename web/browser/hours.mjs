// node browser/hours.mjs ADDRESS JOB MINUTES: the page of a job that gets a step each second, for as many minutes as its clock says.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const PIECE = 20 // seconds, and steps in them; a stream that is silent for longer is given up
const [address, job, minutes] = process.argv.slice(2)
const browser = await launch()
const { page, context, faults } = await open(browser, address)
const devtools = await context.newCDPSession(page)
let step = 0
let looks = 0

/** Returns the next events as the server streams them. */
function nextEvents() {
  return Array.from({ length: PIECE }, () => {
    step += 1
    const metrics = { loss: 3 / Math.sqrt(step), learning_rate: 1e-4, grad_norm: 1, tokens_per_second: 100 }
    const data = { job_id: job, type: "step", step, total_steps: 100_000, metrics }
    return `id: 1-${step}\nevent: step\ndata: ${JSON.stringify(data)}\n\n`
  }).join("")
}

/** Returns the megabytes of what the page holds, after everything that is held by nothing has gone. */
async function held() {
  await devtools.send("HeapProfiler.collectGarbage")
  const { usedSize } = await devtools.send("Runtime.getHeapUsage")
  const { nodes } = await devtools.send("Memory.getDOMCounters")
  return { megabytes: Math.round(usedSize / 1e5) / 10, nodes }
}

// The server has no eight hours of its own: its stream is written here, its look at the machine comes again and again.
const info = await page.evaluate(async () => (await fetch("/api/system-info")).text())
await page.route("**/api/system-info", (route) => {
  looks += 1
  route.fulfill({ contentType: "application/json", body: info })
})
await page.addInitScript(() => {
  const ask = window.fetch
  window.fetch = (address, ...more) => {
    if (address !== "/api/events") return ask(address, ...more)
    const stream = new ReadableStream({ start: (events) => Object.assign(window, { events }) })
    return Promise.resolve(new Response(stream))
  }
})
await page.clock.install()
await visit(page, `/jobs/${job}`)
await page.waitForFunction(() => "events" in window)
const before = await held()
for (let second = 0; second < 60 * Number(minutes); second += PIECE) {
  await page.evaluate((words) => window.events.enqueue(new TextEncoder().encode(words)), nextEvents())
  await page.clock.runFor(1000 * PIECE)
}
const after = await held()
await browser.close()
assert.deepEqual(faults, [])
console.log(JSON.stringify({ minutes: Number(minutes), events: step, looks, before, after }))
