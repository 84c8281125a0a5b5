import { resolve } from "node:path"
import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import type { ProxyOptions } from "vite"
import { defineConfig } from "vitest/config"
import { texts } from "./texts-plugin.ts"

const server = process.env.LLMLORA_SERVER ?? "http://127.0.0.1:8000"

/** Lets `npm run dev` talk to a running server, which answers its own page only. */
const toServer: ProxyOptions = {
  target: server,
  changeOrigin: true,
  configure: (proxy) => proxy.on("proxyReq", (request) => request.setHeader("origin", server)),
}

export default defineConfig({
  plugins: [react(), tailwindcss(), texts(resolve(import.meta.dirname, "../src/llmlora/locales"))],
  resolve: { alias: { "@": resolve(import.meta.dirname, "src") } },
  build: {
    outDir: "../src/llmlora/web/dist",
    emptyOutDir: true,
    reportCompressedSize: false,
    manifest: true,
    chunkSizeWarningLimit: 1600, // Swagger UI comes as one file
    license: { fileName: "licenses.md" }, // of what is bundled, as their terms ask
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
  server: { proxy: { "/api": toServer, "/v1": toServer, "/login": toServer } },
  test: {
    environment: "happy-dom",
    setupFiles: ["src/testing/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    testTimeout: 60_000,
  },
})
