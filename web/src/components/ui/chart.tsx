import { useEffect, useRef, useState } from "react"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import { type Drawn, namedEvery, rangeOf, type Series, thinned } from "@/lib/chart-math"
import { formatMetric } from "@/lib/format"
import { useText } from "@/lib/text"
import { isDark, useUi } from "@/lib/ui"

export interface Curve {
  name: string
  values: Series
  /** A token of tokens.css without its dashes. */
  color: "accent" | "good" | "warn" | "bad" | "ink-2"
  isDashed?: boolean
  /** Lengths of strokes and gaps, where several curves have to differ by more than their colour. */
  dash?: readonly number[]
  isFaint?: boolean
  hasPoints?: boolean
}

export interface ChartProps {
  title: string
  /** What the x axis counts, such as steps. */
  xName: string
  x: readonly number[]
  curves: readonly Curve[]
  /** Places on the x axis that get a fine line and a word. */
  marks?: readonly { x: number; name: string }[]
  band?: { low: number; high: number; name: string }
  /** Values that are aimed at between two places on the x axis. */
  targets?: readonly { from: number; to: number; value: number }[]
  isLog?: boolean
  /** Whether outliers at the top are cut off. */
  isClipped?: boolean
  /** Whether the axis begins at nothing, where a small change should look small. */
  isFromZero?: boolean
  height?: number
}

/** What of a chart is drawn by uPlot, every choice made. */
type Drawing = Required<Omit<ChartProps, "title" | "xName" | "x" | "band">> & Pick<ChartProps, "band">

/** Curves over a common axis, with their legend, but for one alone that is called as the chart, and a table of the same numbers. */
export function Chart(props: ChartProps) {
  const {
    title,
    xName,
    x,
    curves,
    marks = [],
    band,
    targets = [],
    isLog = false,
    isClipped = false,
    isFromZero = false,
    height = 250,
  } = props
  const hasLegend = curves.length > 1 || curves[0]?.name !== title
  const drawing = { curves, marks, band, targets, isLog, isClipped, isFromZero, height }
  const t = useText()
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const whole = useRef<Drawn>({ x: [], columns: [] })
  const theme = useUi((state) => state.theme)
  const dark = isDark(theme)
  const looks = curves.map(({ name, color }) => [name, color])
  const shape = JSON.stringify([looks, marks, band, targets, isLog, isClipped, isFromZero, height, dark])

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when its shape changes, not with every number
  useEffect(() => {
    if (!host.current) return
    whole.current = wholeOf(x, curves)
    const chart = new uPlot(optionsOf(drawing, whole, host.current.clientWidth), seen(whole.current), host.current)
    plot.current = chart
    const observer = new ResizeObserver(([entry]) => {
      const width = entry?.contentRect.width
      if (width && width !== chart.width) chart.setSize({ width, height }) // it is told of the first width, too
    })
    observer.observe(host.current)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [shape])

  useEffect(() => {
    const { x: drawnX, columns } = whole.current
    if (drawnX === x && curves.every(({ values }, index) => values === columns[index])) return // drawn when it was made
    whole.current = wholeOf(x, curves)
    plot.current?.setData(seen(whole.current))
  }, [x, curves])

  return (
    <figure className="m-0 min-w-0">
      <div ref={host} role="img" aria-label={title} className="min-w-0" style={{ height }} />
      <figcaption className="mt-1 flex flex-wrap items-center gap-x-4 gap-y-1 text-s text-ink-2 empty:hidden">
        {hasLegend ? curves.map((curve) => <LegendItem key={curve.name} curve={curve} />) : null}
        {band ? (
          <span className="inline-flex items-center gap-1.5">
            <i className="h-2.5 w-4.5 bg-good-soft" />
            {band.name}
          </span>
        ) : null}
        {targets.length > 0 ? (
          <span className="inline-flex items-center gap-1.5">
            <i className="h-0.5 w-4.5 bg-good" />
            {t("web.goals.title")}
          </span>
        ) : null}
      </figcaption>
      <ChartTable title={title} xName={xName} x={x} curves={curves} />
    </figure>
  )
}

function LegendItem({ curve }: { curve: Curve }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <svg aria-hidden="true" width="26" height="4" className="flex-none">
        <line
          x2="26"
          y1="2"
          y2="2"
          stroke={`var(--${curve.color})`}
          strokeWidth={curve.isFaint ? 1.4 : 2.4}
          strokeDasharray={dashOf(curve)?.join(" ")}
          opacity={curve.isFaint ? 0.5 : 1}
        />
      </svg>
      {curve.name}
    </span>
  )
}

function dashOf({ isDashed, dash }: Curve): number[] | undefined {
  return dash ? [...dash] : isDashed ? [6, 4] : undefined
}

const MOST_ROWS = 200

function ChartTable({ title, xName, x, curves }: Pick<ChartProps, "title" | "xName" | "x" | "curves">) {
  const t = useText()
  const [isOpen, setIsOpen] = useState(false)
  const every = Math.max(1, Math.ceil(x.length / MOST_ROWS))
  const rows = isOpen ? x.map((value, index) => ({ value, index })).filter(({ index }) => index % every === 0) : []
  return (
    <details className="mt-1 text-s text-ink-2" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary className="w-fit">{t("web.chart.table")}</summary>
      {isOpen ? (
        <div className="mt-2 max-h-60 overflow-auto" tabIndex={-1}>
          <table className="w-full text-right">
            <caption className="sr-only">{title}</caption>
            <thead>
              <tr>
                <th scope="col" className="px-2 py-1 text-right font-medium">
                  {xName}
                </th>
                {curves.map(({ name }) => (
                  <th key={name} scope="col" className="px-2 py-1 text-right font-medium">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ value, index }) => (
                <tr key={value} className="border-t">
                  <td className="px-2 py-1">{value}</td>
                  {curves.map(({ name, values }) => (
                    <td key={name} className="px-2 py-1">
                      {formatMetric(values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </details>
  )
}

const BUCKETS = 500 // a lowest and a highest value for about every second pixel of a chart

function wholeOf(x: readonly number[], curves: readonly Curve[]): Drawn {
  return { x, columns: curves.map(({ values }) => values) }
}

/** Returns what of all numbers can be seen between two places; uPlot only reads them. */
function seen(whole: Drawn, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): uPlot.AlignedData {
  const { x, columns } = thinned(whole, from, to, BUCKETS)
  return [x, ...columns] as unknown as uPlot.AlignedData
}

/** Returns what shows more points where the axis is stretched, once uPlot has moved it. */
function zoomed(whole: { current: Drawn }): (self: uPlot, scale: string) => void {
  let wasPart = false
  return (self, scale) => {
    const { x } = whole.current
    const { min = 0, max = 0 } = self.scales.x ?? {}
    if (scale !== "x" || min === null || max === null || x.length <= 2 * BUCKETS) return
    const isPart = min > (x[0] ?? 0) || max < (x.at(-1) ?? 0)
    if (isPart || wasPart) queueMicrotask(() => show(self, seen(whole.current, min, max)))
    wasPart = isPart
  }
}

function show(self: uPlot, data: uPlot.AlignedData): void {
  self.setData(data, false)
  self.redraw()
}

function optionsOf(
  { curves, marks, band, targets, isLog, isClipped, isFromZero, height }: Drawing,
  whole: { current: Drawn },
  width: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const font = `12px ${color("font")}`
  const axis = { stroke: color("ink-2"), font, grid: { stroke: color("line"), width: 1 }, ticks: { show: false } }
  return {
    width,
    height,
    legend: { show: false },
    padding: [null, 16, null, null], // half of a long number at the right end of the x axis
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false },
      y: {
        distr: isLog ? 3 : 1,
        range: () => {
          const aims = [
            ...(isFromZero ? [0] : []),
            ...(band ? [band.low, band.high] : []),
            ...targets.map(({ value }) => value),
          ]
          return rangeOf([...whole.current.columns, aims], isLog, isClipped)
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
      },
      { ...axis, size: 48, values: (_, splits) => splits.map((value) => (value === null ? "" : shortNumber(value))) },
    ],
    series: [{}, ...curves.map((curve) => seriesOf(curve, color))],
    hooks: {
      setScale: [zoomed(whole)],
      drawClear: [(self) => drawBand(self, band, color("good-soft"))],
      drawAxes: [(self) => drawMarks(self, marks, color("line-strong"), color("ink-2"), font)],
      draw: [(self) => drawTargets(self, targets, color("good"))],
    },
  }
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function seriesOf(curve: Curve, color: (name: string) => string): uPlot.Series {
  const { isFaint, hasPoints } = curve
  return {
    label: curve.name,
    stroke: color(curve.color),
    width: isFaint ? 1.2 : 2.2,
    alpha: isFaint ? 0.4 : 1,
    dash: dashOf(curve),
    spanGaps: true,
    points: hasPoints ? { show: true, size: 7, fill: color("sheet") } : { show: false },
  }
}

function drawBand(self: uPlot, band: ChartProps["band"], fill: string): void {
  if (!band) return
  const top = self.valToPos(band.high, "y", true)
  self.ctx.fillStyle = fill
  self.ctx.fillRect(self.bbox.left, top, self.bbox.width, self.valToPos(band.low, "y", true) - top)
}

function drawTargets(self: uPlot, targets: NonNullable<ChartProps["targets"]>, color: string): void {
  const { ctx } = self
  ctx.fillStyle = color
  for (const { from, to, value } of targets) {
    const [left, right] = [self.valToPos(from, "x", true), self.valToPos(to, "x", true)]
    ctx.fillRect(left, self.valToPos(value, "y", true) - uPlot.pxRatio, right - left, 2 * uPlot.pxRatio)
  }
}

function drawMarks(self: uPlot, marks: ChartProps["marks"] = [], line: string, ink: string, font: string): void {
  const { ctx, bbox } = self
  const ratio = uPlot.pxRatio
  ctx.save()
  ctx.strokeStyle = line
  ctx.fillStyle = ink
  ctx.font = font.replace("12px", `${11 * ratio}px`)
  ctx.textAlign = "right"
  ctx.setLineDash([2 * ratio, 4 * ratio])
  const places = marks.map(({ x }) => self.valToPos(x, "x", true))
  const widest = Math.max(0, ...marks.map(({ name }) => ctx.measureText(name).width)) + 8 * ratio
  const every = namedEvery(places, widest)
  for (const [index, { name }] of marks.entries()) {
    const at = places[index] ?? 0
    if (at < bbox.left || at > bbox.left + bbox.width) continue
    ctx.beginPath()
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
    ctx.stroke()
    const hasName = (index + 1) % every === 0 && at - widest >= bbox.left
    if (hasName) ctx.fillText(name, at - 4 * ratio, bbox.top + 12 * ratio)
  }
  ctx.restore()
}
