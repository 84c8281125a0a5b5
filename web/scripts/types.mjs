// Writes src/api/schema.d.ts from the committed OpenAPI document; with --check it only tells whether it is stale.
import { readFileSync, writeFileSync } from "node:fs"
import openapiTS, { astToString } from "openapi-typescript"

const source = new URL("../../docs/reference/openapi.json", import.meta.url)
const target = new URL("../src/api/schema.d.ts", import.meta.url)
const head = "// Generated from docs/reference/openapi.json by `npm run types`; do not edit.\n\n"
const types = head + astToString(await openapiTS(JSON.parse(readFileSync(source, "utf8")), { alphabetize: true }))

if (!process.argv.includes("--check")) {
  writeFileSync(target, types)
} else if (readFileSync(target, "utf8") !== types) {
  console.error("src/api/schema.d.ts is stale. Run: cd web && npm run types")
  process.exit(1)
}
