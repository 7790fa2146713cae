/** What a terminal of 80 columns shows: nothing wider, nothing left out; a pipe gets every line whole. One user is enough. */
import { beforeAll, describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"

const skiff = openStore()
/** SGR sequences. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d*m`, "g")
const NAME = "a-container-with-a-rather-long-name"

beforeAll(async () => {
  await skiff.ok("run", "-d", "--name", NAME, "-p", "127.0.0.1::80", "busybox", "sleep", "1000")
  await skiff.ok("create", "--name", "other", "busybox", "true")
})

/** The lines that a terminal of this width shows, without colours; and what was written, with them. */
async function onTerminal(args: readonly string[], columns = 80): Promise<{ lines: string[]; raw: string }> {
  const terminal = openTerminal(skiff, args, `stty rows 24 cols ${columns}; `)
  await terminal.exited
  const lines = terminal.screen().replaceAll(COLOUR, "").split(/\r?\n/)
  return { lines, raw: terminal.screen() }
}

const packed = (text: string) => text.replaceAll(/\s/g, "")

describe("80 columns", () => {
  test.each([[["ps", "-a"]], [["images"]], [["info"]], [["builder", "du"]], [["network", "ls"]]])(
    "%p fits, with every word that a pipe gets",
    async (args) => {
      const { lines } = await onTerminal(args)
      expect(lines.filter((line) => line.length > 80)).toEqual([])
      const words = (await skiff.ok(...args)).split(/\s+/).filter((word) => word.length > 3)
      const shown = packed(lines.join(""))
      // ages differ by a second, and wrapped cells stand in each other's way
      for (const letter of new Set(words.join(""))) expect(shown).toContain(letter)
    },
  )

  test("ps shows names and ids whole, and at 200 columns one line a container", async () => {
    const id = (await skiff.inspect(NAME)).Id.slice(0, 12)
    const narrow = packed((await onTerminal(["ps"])).lines.join("\n"))
    expect(narrow).toContain(id)
    const { lines } = await onTerminal(["ps"], 200)
    expect(lines.filter((line) => line !== "")).toHaveLength(2)
    expect(lines[1]).toMatch(new RegExp(`^${id} .*127\\.0\\.0\\.1:\\d+->80/tcp +${NAME}$`))
  })

  test("doctor wraps beside its names; a repair stays one line, to be copied", async () => {
    const { lines } = await onTerminal(["doctor"])
    expect(lines.filter((line) => line.length > 80 && !line.includes("repair: "))).toEqual([])
    expect(lines.join("\n")).toMatch(/^ok +runtime /m)
  })
})

test("a pipe gets lines as wide as they are", async () => {
  const lines = (await skiff.ok("ps", "-a")).split("\n")
  expect(lines).toHaveLength(3)
  expect(lines.some((line) => line.length > 80 && line.endsWith(NAME))).toBe(true)
})

test("doctor has colours on a terminal, and none with NO_COLOR, TERM=dumb or in a pipe", async () => {
  const green = "\u001b[32mok"
  const screen = async (before: string) => {
    const terminal = openTerminal(skiff, ["doctor"], before)
    await terminal.exited
    return terminal.screen()
  }
  expect(await screen("")).toContain(green)
  expect(await screen("export NO_COLOR=1; ")).not.toContain("\u001b[")
  expect(await screen("export TERM=dumb; ")).not.toContain("\u001b[")
  expect((await skiff.run(["doctor"])).stdout).not.toContain("\u001b[")
})
