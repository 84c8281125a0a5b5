// What every check in a real browser begins with: the system's Chromium, a signed-in page, and what must never happen.
import { existsSync } from "node:fs"
import { chromium } from "playwright-core"

const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]

/** Starts the system's Chromium. */
export function launch() {
  const executablePath = PLACES.find((place) => place && existsSync(place))
  if (!executablePath) throw new Error("no Chromium found; name it: CHROMIUM=/path/to/chromium")
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] })
}

/**
 * Opens a signed-in page of one look; what must not happen is collected in `faults`:
 * messages of the console, exceptions, and requests that leave this machine.
 */
export async function open(browser, address, { language = "ja", theme = "light", width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({
    locale: language === "ja" ? "ja-JP" : "en-US",
    timezoneId: "Asia/Tokyo",
    colorScheme: theme,
    viewport: { width, height },
    reducedMotion: "reduce",
  })
  const page = await context.newPage()
  const faults = []
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`)
  })
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`))
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url())
    if (protocol !== "data:" && protocol !== "blob:" && hostname !== "127.0.0.1")
      faults.push(`request: ${request.url()}`)
  })
  await page.goto(address)
  await page.getByRole("heading", { level: 1 }).waitFor()
  return { page, context, faults }
}

/** Goes to another page of the same server and waits until its heading and its data are there. */
export async function visit(page, path) {
  await page.goto(new URL(path, page.url()).href)
  await page.getByRole("heading", { level: 1 }).waitFor()
  await settled(page)
}

const PATIENCE = 120_000 // milliseconds: a plan or a preview is made by a process of its own, on a machine that may be busy

/** Waits until nothing on the page says that it is loading, as long as is said at most. */
export async function settled(page, { timeout = PATIENCE } = {}) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'), undefined, { timeout })
}
