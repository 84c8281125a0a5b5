import { expect, it } from "vitest"
import { parseNumber, writeNumber } from "./number"

it.each([
  ["３ｅ－４", 3e-4],
  ["1，024", 1024],
  ["１，０２４", 1024],
  [" 0.5 ", 0.5],
  ["．５", 0.5],
  ["−2", -2],
  ["2e-5", 2e-5],
  ["1_000", 1000],
])("reads %s", (typed, value) => expect(parseNumber(typed)).toBe(value))

it.each(["", "abc", "1.2.3", "１２円", "1e", "--2", "1e999", "NaN", "0x10"])("takes %s for no number", (typed) =>
  expect(parseNumber(typed)).toBeNull(),
)

it("writes what it reads, short", () => {
  expect([0.0003, 0.00002, 0, 1024, 0.1 + 0.2, 0.05, -0.00001].map(writeNumber)).toEqual([
    "3e-4",
    "2e-5",
    "0",
    "1024",
    "0.3",
    "0.05",
    "-1e-5",
  ])
  for (const value of [0.0003, 12.5, 1e-9, 4096, 2e-4]) expect(parseNumber(writeNumber(value))).toBe(value)
})
