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

  push(piece: string): ServerEvent[] {
    const lines = (this.rest + piece).split("\n")
    this.rest = lines.pop() ?? ""
    return lines.flatMap((line) => this.take(line.endsWith("\r") ? line.slice(0, -1) : line))
  }

  private take(line: string): ServerEvent[] {
    if (line === "") return this.finish()
    const [name, ...rest] = line.split(":")
    const value = rest.join(":").replace(/^ /, "")
    if (name === "id") this.id = value
    else if (name === "event") this.type = value
    else if (name === "data") this.data.push(value)
    return []
  }

  private finish(): ServerEvent[] {
    const text = this.data.join("\n")
    const event = { id: this.id, type: this.type || "message" }
    this.type = ""
    this.data = []
    if (!text) return []
    try {
      return [{ ...event, data: JSON.parse(text) }]
    } catch {
      return [] // cut off by a proxy: the next event says enough
    }
  }
}
