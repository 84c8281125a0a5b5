import { pauseBefore } from "./retry"
import { EventParser, type ServerEvent } from "./sse"

const SILENT_AFTER = 40_000 // the server sends a comment every 15 s

export interface StreamEnds {
  onEvent: (event: ServerEvent) => void
  onState: (isLive: boolean) => void
  /** The id behind which to go on, null from now on. */
  lastId: () => string | null
}

/** Follows the server's events until the signal aborts, and takes the stream up again wherever it breaks off. */
export async function followEvents({ onEvent, onState, lastId }: StreamEnds, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    const attempt = new AbortController()
    const stop = () => attempt.abort()
    signal.addEventListener("abort", stop)
    try {
      await readOnce(attempt, lastId(), onEvent, () => {
        failures = 0
        onState(true)
      })
    } catch {
      // broken off: said by the state below
    } finally {
      signal.removeEventListener("abort", stop)
      attempt.abort()
    }
    if (signal.aborted) return
    onState(false)
    await pauseOrAbort(pauseBefore(failures), signal)
  }
}

async function readOnce(
  attempt: AbortController,
  lastId: string | null,
  onEvent: (event: ServerEvent) => void,
  onOpen: () => void,
): Promise<void> {
  const headers: Record<string, string> = { Accept: "text/event-stream" }
  if (lastId) headers["Last-Event-ID"] = lastId
  const answer = await fetch("/api/events", { headers, signal: attempt.signal, cache: "no-store" })
  if (!answer.ok || !answer.body) throw new Error(`events: ${answer.status}`)
  onOpen()
  const parser = new EventParser()
  const decoder = new TextDecoder()
  const reader = answer.body.getReader()
  for (;;) {
    const watchdog = setTimeout(() => attempt.abort(), SILENT_AFTER)
    const { done, value } = await reader.read().finally(() => clearTimeout(watchdog))
    if (done) return
    for (const event of parser.push(decoder.decode(value, { stream: true }))) onEvent(event)
  }
}

function pauseOrAbort(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener("abort", done)
  })
}
