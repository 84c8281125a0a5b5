import { create } from "zustand"
import { createJSONStorage, persist } from "zustand/middleware"
import { askModels } from "@/api/chat"
import { ApiError } from "@/api/error"
import type { Options } from "./options"
import type { Mode } from "./search"
import { afterEvent, asked, type Exchange, ended, type Fault, turnsFor } from "./thread"

/** Which conversation: the models of the page, and how they are asked. */
export interface Place {
  models: readonly string[]
  mode: Mode
}

interface Running {
  exchange: Exchange
  stop: () => void
}

const MOST_THREADS = 20
const MOST_EXCHANGES = 50
const NONE: readonly Exchange[] = []

/** The browser's storage; where it is full, conversations live on until the page is left. */
const roomyStorage = {
  getItem: (name: string) => localStorage.getItem(name),
  removeItem: (name: string) => localStorage.removeItem(name),
  setItem: (name: string, value: string) => {
    try {
      localStorage.setItem(name, value)
    } catch {
      localStorage.removeItem(name)
    }
  },
}

/** What was asked and answered, per page; the browser keeps it. */
const useThreads = create<{ threads: Readonly<Record<string, readonly Exchange[]>> }>()(
  persist(() => ({ threads: {} }), { name: "llmlora.chat", storage: createJSONStorage(() => roomyStorage) }),
)
/** What is being answered now, per page; it goes on while another page is looked at. */
const useRunning = create<Readonly<Record<string, Running | undefined>>>()(() => ({}))

function keyOf({ models, mode }: Place): string {
  return `${mode} ${models.join(",")}`
}

/** Returns the exchanges of a conversation, the running one at the end, and whether it runs. */
export function useThread(place: Place): { kept: readonly Exchange[]; running: Exchange | undefined } {
  const key = keyOf(place)
  const kept = useThreads(({ threads }) => threads[key] ?? NONE)
  return { kept, running: useRunning((all) => all[key]?.exchange) }
}

function keep(key: string, change: (thread: readonly Exchange[]) => readonly Exchange[]): void {
  useThreads.setState(({ threads: { [key]: thread = NONE, ...others } }) => {
    const older = Object.entries(others).slice(1 - MOST_THREADS)
    return { threads: Object.fromEntries([...older, [key, change(thread).slice(-MOST_EXCHANGES)]]) }
  })
}

/** Asks the models of a page; what they say appears as it comes, and stays. */
export async function ask(place: Place, question: string, options: Options, fault: (error: unknown) => Fault) {
  const key = keyOf(place)
  if (useRunning.getState()[key]) return
  const stopper = new AbortController()
  let exchange = asked(String(Date.now()), question, place.models)
  const show = () => useRunning.setState({ [key]: { exchange, stop: () => stopper.abort() } })
  show()
  const thread = useThreads.getState().threads[key] ?? NONE
  const columns = place.models.map((model) => ({
    model,
    messages: turnsFor(model, place.mode === "chat" ? thread : NONE, question),
  }))
  const wish = { ...options, columns, system: options.system.trim() || null, raw: place.mode === "text" }
  try {
    await askModels(wish, stopper.signal, (event) => {
      exchange = afterEvent(exchange, place.models, event)
      show()
    })
    exchange = ended(exchange, fault(new ApiError({ status: 0, code: "server_away", detail: "", hint: "" })))
  } catch (error) {
    exchange = ended(exchange, stopper.signal.aborted ? null : fault(error))
  }
  keep(key, (known) => [...known, exchange])
  useRunning.setState({ [key]: undefined })
}

/** Stops what is being answered; what was said stays. */
export function stop(place: Place): void {
  useRunning.getState()[keyOf(place)]?.stop()
}

/** Takes the last exchange away and returns its question, to ask it once more. */
export function takeLast(place: Place): string | undefined {
  const key = keyOf(place)
  const last = useThreads.getState().threads[key]?.at(-1)
  keep(key, (thread) => thread.slice(0, -1))
  return last?.question
}

/** Begins a conversation anew and returns the function that takes this back. */
export function clear(place: Place): () => void {
  const key = keyOf(place)
  const before = useThreads.getState().threads[key] ?? NONE
  keep(key, () => [])
  return () => keep(key, () => before)
}
