/** The addresses of all pages that need no id; a new page gets its line here and is checked in every look. */
export const PAGES = [
  "/",
  "/datasets",
  "/jobs",
  "/jobs/new",
  "/models",
  "/models?tab=adapters",
  "/chat",
  "/compare",
  "/exports",
  "/exports/new",
  "/tutorials",
  "/tutorials/1",
  "/system",
  "/settings",
  "/nowhere",
]
