import type { QueryClient } from "@tanstack/react-query"
import { create } from "zustand"
import { isTold, receive } from "./live"
import { shareEvents } from "./sharing"

const POLL_EVERY = 3000 // milliseconds, while there is no stream

/** Whether events arrive; null before the first answer. */
export const useConnection = create<{ isLive: boolean | null }>(() => ({ isLive: null }))

/**
 * Keeps everything the page knows up to date, and returns how to stop.
 *
 * A stream that comes back goes on where it broke off, so only what could not be answered meanwhile is asked anew.
 * Where the server answers but no stream gets through, everything in sight is asked for now and then.
 */
export function keepLive(client: QueryClient): () => void {
  let timer: ReturnType<typeof setInterval> | undefined
  const poll = async () => {
    if (await isServerThere()) client.invalidateQueries()
  }
  const onState = (isLive: boolean) => {
    useConnection.setState({ isLive })
    if (!isLive) {
      timer ??= setInterval(poll, POLL_EVERY) // said again at each attempt that fails
      return
    }
    clearInterval(timer)
    timer = undefined
    client.invalidateQueries({ predicate: ({ state }) => state.status === "error" })
  }
  const onReturn = () => client.invalidateQueries({ predicate: ({ queryKey }) => !isTold(queryKey) })
  const stop = shareEvents({ onEvent: (event) => receive(client, event), onState, onReturn })
  return () => {
    stop()
    clearInterval(timer)
  }
}

/** Asks once, without the repetitions of other requests: one that is down is not asked for all that is in sight. */
function isServerThere(): Promise<boolean> {
  return fetch("/healthz", { cache: "no-store" }).then(
    ({ ok }) => ok,
    () => false,
  )
}
