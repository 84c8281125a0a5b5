import { currentLanguage } from "@/lib/text"
import { ApiError, errorOf, lostError } from "./error"
import { pauseBefore, RetryBudget } from "./retry"
import type { paths } from "./schema"

type Method = "get" | "post" | "put" | "patch" | "delete"
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never
}[keyof paths]
type Operation<M extends Method, P extends keyof paths> = paths[P][M]
type Success<R> = R extends { 200: infer A }
  ? A
  : R extends { 201: infer A }
    ? A
    : R extends { 202: infer A }
      ? A
      : never
export type Answer<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { responses: infer R }
    ? Success<R> extends { content: { "application/json": infer A } }
      ? A
      : undefined
    : never
type Part<O, N extends string> = O extends { parameters: { [K in N]: infer V } } ? V : undefined
type BodyOf<O> = O extends { requestBody?: infer R }
  ? [NonNullable<R>] extends [never]
    ? undefined
    : NonNullable<R> extends { content: { "application/json": infer B } }
      ? B
      : FormData
  : undefined
type Given<N extends string, V> = [V] extends [undefined]
  ? { [K in N]?: undefined }
  : undefined extends V
    ? { [K in N]?: V }
    : { [K in N]: V }
export type Request<M extends Method, P extends keyof paths> = Given<"path", Part<Operation<M, P>, "path">> & {
  query?: Operation<M, P> extends { parameters: { query?: infer Q } } ? Q : never
  signal?: AbortSignal
} & Given<"body", BodyOf<Operation<M, P>>>

const MOST_REPETITIONS = 3
const budget = new RetryBudget()

interface Loose {
  path?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
  signal?: AbortSignal
}

/** Asks the server and returns its answer; throws `ApiError` with code, what happened and the next step. */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  ...[given]: Record<string, never> extends Request<M, P> ? [Request<M, P>?] : [Request<M, P>]
): Promise<Answer<M, P>> {
  const request = (given ?? {}) as Loose
  const answer = await repeated(addressOf(path, request), { ...wording(method, request.body), signal: request.signal })
  const isJson = answer.headers.get("content-type")?.includes("json")
  return (isJson ? await answer.json() : undefined) as Answer<M, P>
}

/** Returns the address of a route with its places filled in; a model's name keeps its slashes. */
export function addressOf(path: string, { path: places = {}, query = {} }: Loose): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(places[name])).replaceAll("%2F", "/"),
  )
  const asked = Object.entries(query).flatMap(([name, value]) =>
    [value]
      .flat()
      .filter((one) => one !== undefined && one !== null)
      .map((one) => [name, String(one)]),
  )
  const words = new URLSearchParams(asked).toString()
  return words ? `${filled}?${words}` : filled
}

/** Returns an answer that is text for people, such as a recipe; with a body it is asked for by POST. */
export async function readText(
  address: string,
  { body, signal }: { body?: unknown; signal?: AbortSignal },
): Promise<string> {
  const init = body === undefined ? { headers: { "Accept-Language": currentLanguage() } } : wording("post", body)
  return (await repeated(address, { ...init, signal })).text()
}

function wording(method: Method, body: unknown): RequestInit {
  const headers: Record<string, string> = { "Accept-Language": currentLanguage() }
  if (method === "post") headers["Idempotency-Key"] = randomKey() // the same for every repetition
  if (body === undefined || body instanceof FormData)
    return { method: method.toUpperCase(), headers, body: body ?? null }
  headers["Content-Type"] = "application/json"
  return { method: method.toUpperCase(), headers, body: JSON.stringify(body) }
}

/** Returns a key that no other request has; `crypto.randomUUID` is missing where the page is not served from here. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}

async function repeated(address: string, init: RequestInit): Promise<Response> {
  for (let repetition = 0; ; repetition += 1) {
    const error = await attempt(address, init)
    if (error instanceof Response) return error
    if (!error.isTransient || repetition >= MOST_REPETITIONS || !budget.take()) throw error
    await pause(pauseBefore(repetition), init.signal)
  }
}

async function attempt(address: string, init: RequestInit): Promise<Response | ApiError> {
  try {
    const answer = await fetch(address, init)
    return answer.ok ? answer : await errorOf(answer)
  } catch (error) {
    if (init.signal?.aborted) throw error
    return error instanceof ApiError ? error : lostError()
  }
}

function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener("abort", () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}
