/** What a bare id in the stream becomes: the place where the stream stands, and nothing new. */
export const PLACE = "place"

/** One event of the server's stream. */
export interface ServerEvent {
  id: string
  type: string
  data: Record<string, unknown>
}

/** Takes a stream's text in pieces of any size and gives back its whole events. */
export class EventParser {
  private rest = ""
  private id = ""
  private type = ""
  private data: string[] = []
  private isPlaced = false

  push(piece: string): ServerEvent[] {
    const lines = (this.rest + piece).split("\n")
    this.rest = lines.pop() ?? ""
    return lines.flatMap((line) => this.take(line.endsWith("\r") ? line.slice(0, -1) : line))
  }

  private take(line: string): ServerEvent[] {
    if (line === "") return this.finish()
    const [name, ...rest] = line.split(":")
    const value = rest.join(":").replace(/^ /, "")
    if (name === "id") {
      this.id = value
      this.isPlaced = true
    }
    if (name === "event") this.type = value
    if (name === "data") this.data.push(value)
    return []
  }

  private finish(): ServerEvent[] {
    const text = this.data.join("\n")
    const event = { id: this.id, type: this.type || "message" }
    const isPlaced = this.isPlaced
    this.type = ""
    this.data = []
    this.isPlaced = false
    if (!text) return isPlaced ? [{ id: this.id, type: PLACE, data: {} }] : []
    try {
      return [{ ...event, data: JSON.parse(text) }]
    } catch {
      return [] // cut off by a proxy: the next event says enough
    }
  }
}
