import { cleanup, configure } from "@testing-library/react"
import { afterEach, beforeAll } from "vitest"
import { loadTexts } from "@/lib/text"
import { useUi } from "@/lib/ui"

configure({ asyncUtilTimeout: 10_000 }) // what a loaded machine may take; nothing waits longer than it must
beforeAll(async () => {
  await Promise.all([loadTexts("ja"), loadTexts("en")])
  useUi.setState({ language: "ja" })
})
afterEach(cleanup)
