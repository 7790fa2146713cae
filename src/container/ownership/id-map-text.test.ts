import { expect, test } from "bun:test"
import { exchangedIds, mapText, parseMountIds } from "./id-map-text.ts"

test("the owner's files are the user's, the user's are the owner's, all others stay", () => {
  expect(exchangedIds(0, 1000)).toEqual([
    { onDisk: 1000, seen: 0, count: 1 },
    { onDisk: 1, seen: 1, count: 999 },
    { onDisk: 0, seen: 1000, count: 1 },
    { onDisk: 1001, seen: 1001, count: 2 ** 32 - 1 - 1001 },
  ])
  expect(mapText(exchangedIds(5, 5))).toBe("0 0 5\n5 5 1\n6 6 4294967289\n")
})

test("in a user namespace they are seen as its ids are called outside", () => {
  const map = [{ inside: 0, outside: 100_000, count: 10 }]
  expect(exchangedIds(500, 7, map)).toEqual([
    { onDisk: 0, seen: 100_000, count: 7 },
    { onDisk: 500, seen: 100_007, count: 1 },
    { onDisk: 8, seen: 100_008, count: 2 },
  ])
})

test.each([0, 1, 7, 1000, 65_535])("with the user %i each id on disk is named once", (user) => {
  for (const owner of [0, 1, 6, 8, 1000, 70_000]) {
    const lines = exchangedIds(owner, user).toSorted((a, b) => a.onDisk - b.onDisk)
    expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(2 ** 32 - 1)
    lines.reduce((end, { onDisk, count }) => (expect(onDisk).toBe(end), onDisk + count), 0)
  }
})

test("podman's maps are read", () => {
  expect(parseMountIds("uids=0-1-10#10-11-10;gids=0-100-10", undefined)).toEqual({
    uids: [
      { onDisk: 0, seen: 1, count: 10 },
      { onDisk: 10, seen: 11, count: 10 },
    ],
    gids: [{ onDisk: 0, seen: 100, count: 10 }],
  })
  const maps = { uids: [{ inside: 0, outside: 5000, count: 100 }], gids: [] }
  expect(parseMountIds("uids=0-@3-1", maps)).toEqual({ uids: [{ onDisk: 0, seen: 5003, count: 1 }] })
})

test.each(["x", "uids=", "uids=1-2", "uids=1-2-0", "uids=1-2-3#", "uids=4294967295-0-1", "gids=a-1-1", "uids=0-1-1;x"])(
  "%p is no map",
  (text) => {
    expect(() => parseMountIds(text, undefined)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  },
)
