import { call } from "./client"
import type { Dataset } from "./datasets"
import { ApiError, errorOf, lostError } from "./error"
import { pauseBefore } from "./retry"
import type { components } from "./schema"

type Upload = components["schemas"]["Upload"]
export type UploadedDataset = components["schemas"]["UploadedDataset"]

const PIECE = 4 * 1024 * 1024
const MOST_BREAKS = 8

/** Sends a file in pieces and makes a dataset of it; after a break, and after a reload of the page, it goes on. */
export async function uploadFile(
  file: File,
  about: UploadedDataset,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Dataset> {
  let upload = await begin(file, signal)
  for (let breaks = 0; upload.offset < file.size; ) {
    onBytes(upload.offset)
    try {
      upload = await send(upload, file, signal)
      breaks = 0
    } catch (error) {
      breaks += 1
      if (!mayGoOn(error) || breaks > MOST_BREAKS) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseBefore(breaks)))
      upload = await call("get", "/api/uploads/{upload_id}", { path: { upload_id: upload.id }, signal })
    }
  }
  onBytes(file.size)
  const dataset = await call("post", "/api/uploads/{upload_id}/dataset", {
    path: { upload_id: upload.id },
    body: about,
    signal,
  })
  localStorage.removeItem(nameOf(file))
  return dataset
}

/** Tells whether an upload that broke can go on: nobody answered, or the server knows another place to go on from. */
function mayGoOn(error: unknown): boolean {
  return error instanceof ApiError && (error.isTransient || error.status === 409)
}

async function begin(file: File, signal: AbortSignal): Promise<Upload> {
  const known = localStorage.getItem(nameOf(file))
  if (known) {
    try {
      return await call("get", "/api/uploads/{upload_id}", { path: { upload_id: known }, signal })
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error
    }
  }
  const upload = await call("post", "/api/uploads", { body: { name: file.name, bytes: file.size }, signal })
  localStorage.setItem(nameOf(file), upload.id)
  return upload
}

async function send(upload: Upload, file: File, signal: AbortSignal): Promise<Upload> {
  const answer = await fetch(`/api/uploads/${upload.id}`, {
    method: "PUT",
    headers: { "Upload-Offset": String(upload.offset), "Content-Type": "application/octet-stream" },
    body: file.slice(upload.offset, upload.offset + PIECE),
    signal,
  }).catch((error: unknown) => {
    throw signal.aborted ? error : lostError()
  })
  if (!answer.ok) throw await errorOf(answer)
  return (await answer.json()) as Upload
}

/** Returns the name under which the browser remembers an upload: the same file chosen again goes on. */
function nameOf(file: File): string {
  return `upload:${file.name}:${file.size}:${file.lastModified}`
}
