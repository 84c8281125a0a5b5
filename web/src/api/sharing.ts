import { PLACE, type ServerEvent } from "./sse"
import { followEvents } from "./stream"

const NAME = "llmlora-events"

type Message = { kind: "event"; event: ServerEvent } | { kind: "state"; isLive: boolean } | { kind: "hello" }

export interface Sink {
  onEvent: (event: ServerEvent) => void
  onState: (isLive: boolean) => void
  /** The page can be seen again: what no event tells of may be old. */
  onReturn: () => void
}

/**
 * Gives this tab the server's events over one stream for all tabs, and returns how to stop.
 *
 * Of the visible tabs one holds the lock, reads the stream and passes everything on; a hidden tab lets go of it.
 * Where browsers have no locks (a page served without TLS from another machine) each visible tab reads its own.
 */
export function shareEvents(sink: Sink): () => void {
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME)
  let lastId: string | null = null
  let reading: AbortController | null = null
  let isLeader = false
  let isLive = false

  const take = (message: Message) => {
    if (message.kind === "event") {
      lastId = message.event.id || lastId
      sink.onEvent(message.event)
    } else if (message.kind === "state") {
      isLive = message.isLive
      sink.onState(message.isLive)
    } else if (isLeader) {
      channel?.postMessage({ kind: "state", isLive } satisfies Message)
      const place: ServerEvent = { id: lastId ?? "", type: PLACE, data: {} } // where the new tab would go on alone
      channel?.postMessage({ kind: "event", event: place } satisfies Message)
    }
  }
  const tell = (message: Message) => {
    take(message)
    channel?.postMessage(message)
  }
  const read = async (signal: AbortSignal) => {
    isLeader = true
    await followEvents(
      {
        onEvent: (event) => tell({ kind: "event", event }),
        onState: (live) => tell({ kind: "state", isLive: live }),
        lastId: () => lastId,
      },
      signal,
    )
    isLeader = false
  }
  const begin = () => {
    reading = new AbortController()
    const { signal } = reading
    channel?.postMessage({ kind: "hello" } satisfies Message)
    if (!navigator.locks) return void read(signal)
    navigator.locks.request(NAME, { signal }, () => read(signal)).catch(() => {}) // aborted while waiting
  }
  const onVisibility = () => {
    if (document.visibilityState === "hidden") {
      reading?.abort()
      reading = null
    } else if (!reading) {
      begin()
      sink.onReturn()
    }
  }

  if (channel) channel.onmessage = ({ data }: MessageEvent<Message>) => take(data)
  document.addEventListener("visibilitychange", onVisibility)
  if (document.visibilityState !== "hidden") begin()
  return () => {
    document.removeEventListener("visibilitychange", onVisibility)
    reading?.abort()
    channel?.close()
  }
}
