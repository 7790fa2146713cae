import { expect, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { commandHelp, groupHelp, overview } from "./help.ts"
import { findEntry, GROUPS, TABLE, verbsOf } from "./table.ts"

/** Compares with a golden file; `UPDATE_GOLDEN=1` writes it anew. */
function expectGolden(name: string, text: string): void {
  const file = `${import.meta.dir}/testdata/${name}`
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, "utf8"))
}

async function helpOf(name: string): Promise<string> {
  const found = findEntry(name.split(" "))
  if (!found) throw new Error(`no command ${name}`)
  return commandHelp(found.name, found.entry, (await found.entry.load()).default)
}

test("help of the whole, of a group and of commands is as written down", async () => {
  expectGolden("help.txt", await overview())
  expectGolden("help-container.txt", await groupHelp("container"))
  for (const name of ["run", "ps", "image pull", "exec"])
    expectGolden(`help-${name.replace(" ", "-")}.txt`, await helpOf(name))
})

test("every command has a summary, texts for its flags, and no name or letter twice", async () => {
  for (const { names, load } of TABLE) {
    const { summary, flags } = (await load()).default
    expect(summary).toMatch(/^[A-Z].*[^.]$/)
    const letters = Object.values(flags).flatMap(({ short }) => short ?? [])
    expect([names[0], new Set(letters).size]).toEqual([names[0], letters.length])
    for (const { help } of Object.values(flags)) expect(help).toMatch(/^[A-Z].*[^.]$/s)
  }
})

test("no line of help is wider than a terminal, but those that cannot be broken", async () => {
  const texts = [await overview(), ...(await Promise.all(Object.keys(GROUPS).map(groupHelp)))]
  expect(texts.flatMap((text) => text.split("\n")).filter((line) => line.length > 80)).toEqual([])
  for (const { names } of TABLE)
    for (const line of (await helpOf(names[0])).split("\n").filter((one) => /^ {6,}\S/.test(one)))
      expect(line.length).toBeLessThanOrEqual(84)
})

test("names in the table are unique, and each group has verbs", () => {
  const names = TABLE.flatMap((entry) => entry.names)
  expect(new Set(names).size).toBe(names.length)
  for (const group of Object.keys(GROUPS)) expect(verbsOf(group)).not.toEqual([])
})
