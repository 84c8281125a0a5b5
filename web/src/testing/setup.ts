import { cleanup } from "@testing-library/react"
import { afterEach, beforeAll } from "vitest"
import { loadTexts } from "@/lib/text"
import { useUi } from "@/lib/ui"

beforeAll(async () => {
  await Promise.all([loadTexts("ja"), loadTexts("en")])
  useUi.setState({ language: "ja" })
})
afterEach(cleanup)
