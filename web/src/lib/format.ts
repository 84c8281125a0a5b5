import type { Language } from "./text"

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const
const STEP = 1000 // as disks, models and downloads are sold, and as the server says it

/** Returns a size with one decimal where that tells something: `2.6 GB`, `3.4 MB`, `21 MB`; its unit stays beside it. */
export function formatBytes(bytes: number, language: Language): string {
  let [power, value] = [0, bytes]
  while (Math.abs(value) >= STEP && power < UNITS.length - 1) [power, value] = [power + 1, value / STEP]
  const isSmall = power === 2 && Math.abs(value) < 9.95
  const digits = power >= 3 || isSmall ? 1 : 0
  const number = value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${number}\u00a0${UNITS[power]}`
}

/** Returns a duration in its two largest units: `1時間5分`, `1分40秒`, `20秒`. */
export function formatDuration(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts: [number, string, string][] = [
    [Math.floor(whole / 86400), "日", "d"],
    [Math.floor(whole / 3600) % 24, "時間", "h"],
    [Math.floor(whole / 60) % 60, "分", "min"],
    [whole % 60, "秒", "s"],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  const shown = first < 0 ? parts.slice(3) : parts.slice(first, first + 2).filter(([value]) => value > 0)
  return language === "ja"
    ? shown.map(([value, unit]) => `${value}${unit}`).join("")
    : shown.map(([value, , unit]) => `${value} ${unit}`).join(" ")
}

const LONG = 600 // seconds; of what takes longer, single seconds only make the words flicker

/** Returns how long something still takes: as a duration, of a long one without its seconds. */
export function formatLeft(seconds: number, language: Language): string {
  return formatDuration(seconds < LONG ? seconds : 60 * Math.round(seconds / 60), language)
}

/** Returns a moment as date and time, without the year in this year. */
export function formatTime(iso: string, language: Language, now = new Date()): string {
  const time = new Date(iso)
  const isThisYear = time.getFullYear() === now.getFullYear()
  return time.toLocaleString(language, {
    ...(isThisYear ? {} : { year: "numeric" }),
    month: language === "ja" ? "long" : "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  })
}

/** Returns the time of day in some seconds from now, with the date where that is another day. */
export function formatClock(seconds: number, language: Language, now = new Date()): string {
  const time = new Date(now.getTime() + 1000 * seconds)
  if (time.toDateString() !== now.toDateString()) return formatTime(time.toISOString(), language, now)
  return time.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })
}

/** Returns how long ago a moment was: `3分前`, `3 minutes ago`. */
export function formatAgo(iso: string, language: Language, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" })
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ]
  const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? (["second", 1] as const)
  const ago = words.format(Math.trunc(seconds / size), unit)
  return language === "ja" ? ago.replaceAll(" ", "") : ago
}

/** Returns a loss or another metric with the digits that matter: `0.52`, `12.3`, `4.3e-5`. */
export function formatMetric(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–"
  const size = Math.abs(value)
  if (size !== 0 && size < 0.001) return value.toExponential(1).replace("e+", "e")
  if (size >= 100) return value.toFixed(0)
  return value.toFixed(size >= 10 ? 1 : size < 0.1 ? 4 : 2)
}

/** Returns a loss: one that is nearly nothing as what it is, not by its power of ten. */
export function formatLoss(value: number | null | undefined): string {
  return typeof value === "number" && Math.abs(value) < 0.001 ? value.toFixed(4) : formatMetric(value)
}

/** Returns a large number in short: `472万`, `4.7M`. */
export function formatCount(count: number, language: Language): string {
  return count.toLocaleString(language, { notation: "compact", maximumFractionDigits: 1 })
}
