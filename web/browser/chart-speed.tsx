import { flushSync } from "react-dom"
import { createRoot } from "react-dom/client"
import { Chart } from "../src/components/ui/chart"
import { loadTexts } from "../src/lib/text"
import "../src/app.css"

const [SERIES, POINTS] = [10, 100_000]

await loadTexts("ja")
const x = Array.from({ length: POINTS }, (_, index) => index + 1)
const curves = Array.from({ length: SERIES }, (_, series) => ({
  name: `${series}`,
  color: "accent" as const,
  values: x.map((step) => 0.4 + 3 * Math.exp(-step / (8000 + 2000 * series)) + 0.2 * Math.sin(step * (1.7 + series))),
}))
const root = createRoot(document.getElementById("root") as HTMLElement)

/** Draws ten curves of 100,000 points, and returns the milliseconds until they are painted. */
Object.assign(window, {
  async draw(): Promise<number> {
    const began = performance.now()
    flushSync(() => root.render(<Chart title="loss" xName="step" x={x} curves={curves} />))
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))
    return performance.now() - began
  },
})
