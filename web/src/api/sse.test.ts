import { describe, expect, it } from "vitest"
import { EventParser, PLACE } from "./sse"

const STREAM =
  ': open\nretry: 1000\n\nevent: step\ndata: {"step": 1}\nid: a-1\n\n: keep-alive\n\nevent: status\ndata: {"status":\ndata: "running"}\nid: a-2\n\n'
const EVENTS = [
  { id: "a-1", type: "step", data: { step: 1 } },
  { id: "a-2", type: "status", data: { status: "running" } },
]

describe("EventParser", () => {
  it("reads the same events from pieces of any size", () => {
    for (const size of [1, 2, 3, 7, 50, STREAM.length]) {
      const parser = new EventParser()
      const pieces = Array.from({ length: Math.ceil(STREAM.length / size) }, (_, i) =>
        STREAM.slice(i * size, (i + 1) * size),
      )
      expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(EVENTS)
    }
  })

  it("tells its place by a bare id, and by nothing else without data", () => {
    const found = new EventParser().push(": open\nretry: 1000\nid: a-7\n\n: keep-alive\n\n")
    expect(found).toEqual([{ id: "a-7", type: PLACE, data: {} }])
  })

  it("takes the ends of lines of Windows", () => {
    expect(new EventParser().push(STREAM.replaceAll("\n", "\r\n"))).toEqual(EVENTS)
  })

  it("passes over an event that is no JSON and goes on", () => {
    const found = new EventParser().push('data: {"cut\n\ndata: {}\nid: 2\n\n')
    expect(found).toEqual([{ id: "2", type: "message", data: {} }])
  })
})
