import { CSPProvider } from "@base-ui/react/csp-provider"
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { createRouter, RouterProvider } from "@tanstack/react-router"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { keepLive } from "./api/connection"
import { ApiError } from "./api/error"
import { routes } from "./app/routes"
import { currentLanguage, loadTexts } from "./lib/text"
import { followSystemTheme } from "./lib/ui"
import "./app.css"

const SIGN_IN = "/login"

/** Asks for the token whoever has no cookie any more; the page would only show the same error everywhere. */
function askForToken(error: Error): void {
  if (error instanceof ApiError && error.status === 401) location.assign(SIGN_IN)
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError: askForToken }),
  mutationCache: new MutationCache({ onError: askForToken }),
  // The wrapper of fetch repeats by itself, and events say what is old.
  defaultOptions: { queries: { retry: false, staleTime: 30_000, refetchOnWindowFocus: false, networkMode: "always" } },
})
const router = createRouter({
  routeTree: routes,
  context: { client },
  defaultPreload: "intent",
  scrollRestoration: true,
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}

await loadTexts(currentLanguage())
followSystemTheme()
keepLive(client)
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
)
