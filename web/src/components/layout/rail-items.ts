import type { IconName } from "@/components/ui/icon"
import type { TextKey } from "@/lib/text"

export interface RailItem {
  to: string
  icon: IconName
  name: TextKey
  /** Its short name in the bar of a phone; without one it stands under "more" there. */
  short?: TextKey
  isBelow?: boolean
}

/** The pages in the order of the work; one line each. */
export const RAIL: readonly RailItem[] = [
  { to: "/", icon: "dashboard", name: "web.page.dashboard", short: "web.page.home" },
  { to: "/datasets", icon: "datasets", name: "web.page.datasets", short: "web.page.data" },
  { to: "/jobs", icon: "training", name: "web.page.training", short: "web.page.training" },
  { to: "/compare", icon: "compare", name: "web.page.compare" },
  { to: "/models", icon: "models", name: "web.page.models" },
  { to: "/exports", icon: "export", name: "web.page.exports" },
  { to: "/chat", icon: "chat", name: "web.page.chat", short: "web.page.chat" },
  { to: "/tutorials", icon: "tutorial", name: "web.page.tutorials" },
  { to: "/system", icon: "system", name: "web.page.system", isBelow: true },
  { to: "/settings", icon: "settings", name: "web.page.settings", isBelow: true },
]
