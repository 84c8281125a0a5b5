// node browser/hours.mjs ADDRESS JOB MINUTES: the page of a job that gets a step each second, for as many minutes as its clock says.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const MINUTE = 60_000 // milliseconds
const EVENTS = 10 // in one answer; the page asks for the next ones after a pause of some seconds
const [address, job, minutes] = process.argv.slice(2)
const browser = await launch()
const { page, context, faults } = await open(browser, address)
const devtools = await context.newCDPSession(page)
let step = 0

/** Returns the next events as the server streams them. */
function nextEvents() {
  return Array.from({ length: EVENTS }, () => {
    step += 1
    const metrics = {
      loss: 3 / Math.sqrt(step),
      learning_rate: 1e-4,
      grad_norm: 1,
      tokens_per_second: 100,
      epoch: step / 1000,
    }
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

await page.clock.install()
await page.route("**/api/events", (route) => {
  route.fulfill({ contentType: "text/event-stream", body: nextEvents() })
})
await visit(page, `/jobs/${job}`)
const before = await held()
for (let minute = 0; minute < Number(minutes); minute += 1) await page.clock.runFor(MINUTE)
const after = await held()
await browser.close()
assert.deepEqual(faults, [])
console.log(JSON.stringify({ minutes: Number(minutes), events: step, before, after }))
