import { expect, test } from "bun:test"
import { mapArguments, parseSubordinateIds, sameIds } from "./id-map.ts"

test("ranges belong to a name or its uid, in the file's order", () => {
  const text = "# comment\nann:100000:65536\nbob:165536:65536\n1000:300000:10\n\nannabel:1:1\n"
  expect(parseSubordinateIds(text, ["ann", "1000"])).toEqual([
    { first: 100_000, count: 65_536 },
    { first: 300_000, count: 10 },
  ])
})

const bad = [
  "ann:1:0",
  "ann:-1:5",
  "ann:1",
  "ann:1:2:3",
  "ann:4294967295:1",
  "ann:1:99999999999",
  "ann:0x10:5",
  " ann:1:5",
]
test.each(bad)("%p gives no range", (line) => {
  expect(parseSubordinateIds(line, ["ann"])).toEqual([])
})

test("the user is 0, the ranges follow from 1 on without a gap", () => {
  const ranges = [
    { first: 100_000, count: 65_536 },
    { first: 300_000, count: 10 },
  ]
  expect(mapArguments(1000, ranges).join(" ")).toBe("0 1000 1 1 100000 65536 65537 300000 10")
})

test("a contained root keeps the ids that he has, with a line of his own for himself", () => {
  expect(sameIds("         0          0 4294967295\n")).toBe("0 0 1\n1 1 4294967294\n")
  expect(sameIds("0 1000 1\n1 100000 65536\n")).toBe("0 0 1\n1 1 65536\n")
  expect(sameIds("0 1000 1\n")).toBe("0 0 1\n")
})
