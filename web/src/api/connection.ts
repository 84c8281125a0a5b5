import type { QueryClient } from "@tanstack/react-query"
import { create } from "zustand"
import { receive } from "./live"
import { shareEvents } from "./sharing"

const POLL_EVERY = 3000 // milliseconds, while there is no stream

/** Whether events arrive; null before the first answer. */
export const useConnection = create<{ isLive: boolean | null }>(() => ({ isLive: null }))

/** Keeps everything the page knows up to date: by events, and without them by asking. Returns how to stop. */
export function keepLive(client: QueryClient): () => void {
  let timer: ReturnType<typeof setInterval> | undefined
  const refresh = () => client.invalidateQueries()
  const onState = (isLive: boolean) => {
    const wasLost = useConnection.getState().isLive === false
    useConnection.setState({ isLive })
    clearInterval(timer)
    if (!isLive) timer = setInterval(refresh, POLL_EVERY)
    else if (wasLost) refresh()
  }
  const stop = shareEvents({ onEvent: (event) => receive(client, event), onState, onReturn: refresh })
  return () => {
    stop()
    clearInterval(timer)
  }
}
