import { describe, expect, test } from "bun:test"
import { tar, type TarEntry } from "../../../test/support/tar.ts"
import { firstFieldDifference, firstFileDifference } from "./first-difference.ts"

async function* streamOf(files: readonly TarEntry[]) {
  yield tar([...files])
}
const difference = (a: readonly TarEntry[], b: readonly TarEntry[]) => firstFileDifference(streamOf(a), streamOf(b))
const file = (part: Partial<TarEntry> = {}): TarEntry => ({ name: "d/f", content: "x", ...part }) as TarEntry

describe("the first file that differs", () => {
  test.each([
    [{}, undefined],
    [{ content: "y" }, '"/d/f" differs in content'],
    [{ content: "xx" }, '"/d/f" differs in content'],
    [{ mode: 0o600 }, '"/d/f" differs in mode: 0644, then 0600'],
    [{ mode: 0o600, content: "y" }, '"/d/f" differs in content, mode'],
    [{ uid: 5 }, '"/d/f" differs in owner: 0:0, then 5:0'],
    [{ mtime: 1 }, '"/d/f" differs in time'],
  ])("%j: %s", async (part, expected) => {
    const found = await difference([file()], [file(part as Partial<TarEntry>)])
    if (expected === undefined) expect(found).toBeUndefined()
    else expect(found).toStartWith(expected)
  })

  test("is there in one alone", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => file({ name }))
    if (!a || !b || !c) throw new Error("unreachable")
    expect(await difference([a, c], [a, b, c])).toBe('"/b" exists only in the second build')
    expect(await difference([a, b], [a])).toBe('"/b" exists only in the first build')
  })
})

test("the first field that differs, with both values", () => {
  const one = { os: "linux", config: { Env: ["A=1", "B=2"] }, created: "x" }
  expect(firstFieldDifference(one, structuredClone(one))).toBeUndefined()
  expect(firstFieldDifference(one, { ...one, config: { Env: ["A=1", "B=3"] } })).toBe(
    '"config.Env[1]" of the config differs: "B=2", then "B=3"',
  )
  const { created: _, ...rest } = one
  expect(firstFieldDifference(one, rest)).toBe('"created" of the config differs: "x", then nothing')
})
