// node browser/chart-speed.mjs FOLDER TIMES: builds the chart alone into FOLDER and draws ten curves of 100,000 points.
// Prints milliseconds: by the clock, and of the processor, which a busy machine does not change.
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { build } from "vite"
import { launch } from "./browser.mjs"

const PLACE = "http://127.0.0.1:1" // nothing listens there: every file comes from FOLDER
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" }
const MOVES = 60
const [folder, times] = process.argv.slice(2)
const web = resolve(import.meta.dirname, "..")
await build({
  root: web,
  configFile: join(web, "vite.config.ts"),
  logLevel: "error",
  build: { outDir: folder, emptyOutDir: true, rollupOptions: { input: join(web, "browser/chart-speed.html") } },
})

const browser = await launch()
const devtools = await browser.newBrowserCDPSession()
const draws = []
const busy = []
const moves = []
for (let time = 0; time < Number(times); time += 1) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.route(`${PLACE}/**`, (route) => {
    const name = new URL(route.request().url()).pathname
    route.fulfill({ body: readFileSync(join(folder, name)), contentType: TYPES[name.split(".").at(-1)] })
  })
  await page.goto(`${PLACE}/browser/chart-speed.html`)
  await page.waitForFunction(() => "draw" in window)
  const before = await processorTime()
  draws.push(await page.evaluate(() => window.draw()))
  busy.push((await processorTime()) - before)
  moves.push(...(await interact(page)))
  await page.close()
}
await browser.close()
const sorted = moves.sort((one, other) => one - other)
console.log(
  JSON.stringify({
    draws: draws.map(Math.round),
    busy: busy.map(Math.round),
    interactions: moves.length,
    p95: Math.round(sorted[Math.floor(0.95 * (sorted.length - 1))]),
    worst: Math.round(sorted.at(-1)),
  }),
)

/** Returns the milliseconds that a processor has worked for pages; one page is open. */
async function processorTime() {
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo")
  return 1000 * processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0)
}

/** Moves the pointer over the curves and zooms in and out; returns how long the page was busy with each. */
async function interact(page) {
  return page.evaluate(async (count) => {
    const over = document.querySelector(".u-over")
    const { left, top, width, height } = over.getBoundingClientRect()
    const times = []
    const send = async (type, share) => {
      const place = { clientX: left + share * width, clientY: top + height / 2, bubbles: true, button: 0 }
      const began = performance.now()
      over.dispatchEvent(new MouseEvent(type, place))
      await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))
      times.push(performance.now() - began)
    }
    await send("mouseenter", 0.1)
    for (let move = 0; move < count; move += 1) await send("mousemove", 0.1 + (0.8 * move) / count)
    for (const [from, to] of [
      [0.2, 0.7],
      [0.3, 0.5],
    ]) {
      await send("mousedown", from)
      await send("mousemove", to)
      await send("mouseup", to)
    }
    await send("dblclick", 0.5)
    return times
  }, MOVES)
}
