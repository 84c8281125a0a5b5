import { expect, it } from "vitest"
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatLeft,
  formatLoss,
  formatMetric,
  formatTime,
} from "./format"

it("writes sizes with the digits that matter", () => {
  expect([0, 512, 2e4, 3.44e6, 21e6, 2.6 * 1000 ** 3, 1536e9].map((size) => formatBytes(size, "ja"))).toEqual([
    "0\u00a0B",
    "512\u00a0B",
    "20\u00a0KB",
    "3.4\u00a0MB",
    "21\u00a0MB",
    "2.6\u00a0GB",
    "1.5\u00a0TB",
  ])
})

it("writes durations in their two largest units", () => {
  expect([0, 20, 100, 3600, 3900, 90_000].map((seconds) => formatDuration(seconds, "ja"))).toEqual([
    "0秒",
    "20秒",
    "1分40秒",
    "1時間",
    "1時間5分",
    "1日1時間",
  ])
  expect(formatDuration(100, "en")).toBe("1 min 40 s")
})

it("writes moments as people of the language do", () => {
  const now = new Date("2026-11-21T06:05:00Z")
  expect(formatTime("2026-11-20T06:05:00Z", "ja", now)).toMatch(/^11月2[01]日/)
  expect(formatTime("2025-11-20T06:05:00Z", "ja", now)).toMatch(/^2025年/)
  expect(formatAgo("2026-11-21T06:02:00Z", "ja", now.getTime())).toBe("3分前")
  expect(formatAgo("2026-11-21T06:02:00Z", "en", now.getTime())).toBe("3 minutes ago")
})

it("says of what still takes long the minutes alone", () => {
  expect([99.6, 599, 601, 1239, 7261].map((seconds) => formatLeft(seconds, "ja"))).toEqual([
    "1分40秒",
    "9分59秒",
    "10分",
    "21分",
    "2時間1分",
  ])
})

it("says at what time something will be done, and on which day where it is not this one", () => {
  const now = new Date(2026, 10, 21, 23, 50)
  expect(formatClock(300, "ja", now)).toBe("23:55")
  expect(formatClock(1200, "ja", now)).toBe("11月22日 00:10")
})

it("writes metrics short, and a missing one as a dash", () => {
  expect([0.523, 12.345, 0.0000431, 384.2, 0.0123, 0, null, Number.NaN].map(formatMetric)).toEqual([
    "0.52",
    "12.3",
    "4.3e-5",
    "384",
    "0.0123",
    "0.0000",
    "–",
    "–",
  ])
})

it("shortens large numbers as the language does", () => {
  expect(formatCount(4_720_896, "en")).toBe("4.7M")
  expect(formatCount(4_720_896, "ja")).toBe("472.1万")
})

it("writes a loss that is nearly nothing without a power of ten", () => {
  expect([0.00083, 0.0019, 0.52, null].map(formatLoss)).toEqual(["0.0008", "0.0019", "0.52", "–"])
})
