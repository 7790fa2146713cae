import { describe, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { flagName } from "../flag.ts"
import { displayWidth } from "../output/columns.ts"
import { languageOf } from "./language.ts"
import { wrapped } from "./paper.ts"

const names = readdirSync(join(import.meta.dir, "en"))
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted()

/** The sentences of a file, whatever shape its tables have, by their paths. */
function sentences(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => sentences(one, `${path}/${key}`))
}

const load = async (language: "en" | "fr", name: string) =>
  new Map(sentences({ ...((await import(join(import.meta.dir, language, name))) as object) }))

describe.each(names)("%s", (name) => {
  test("has every sentence in both languages, with the same values in it", async () => {
    const [en, fr] = await Promise.all([load("en", name), load("fr", name)])
    expect([...fr.keys()].toSorted()).toEqual([...en.keys()].toSorted())
    for (const [key, text] of en) expect([key, placeholders(fr.get(key) ?? "")]).toEqual([key, placeholders(text)])
  })

  test("is translated: no long sentence is the same in both", async () => {
    const [en, fr] = await Promise.all([load("en", name), load("fr", name)])
    for (const [key, text] of en)
      if (text.length > 40 && !/\/(?:command|picture\/\d+)$/.test(key))
        expect([key, fr.get(key)]).not.toEqual([key, text])
  })
})

test("there are the same files in both languages", () => {
  expect(readdirSync(join(import.meta.dir, "fr"))).toEqual(names)
})

test.each([
  [{ LANG: "fr_FR.UTF-8" }, "fr"],
  [{ LANG: "fr" }, "fr"],
  [{ LANG: "fr_CA.UTF-8", LC_ALL: "C" }, "en"],
  [{ LANG: "en_US.UTF-8", LC_MESSAGES: "fr_BE@euro" }, "fr"],
  [{ LANG: "frisian" }, "en"],
  [{}, "en"],
] as const)("%p speaks %s", (env, language) => {
  expect(languageOf(undefined, env)).toBe(language)
})

test("a French line neither begins with its punctuation nor ends with an opening quote", () => {
  const text = "un mot : « deux mots » ; et encore ! ".repeat(20).trim()
  for (let width = 20; width < 60; width++)
    for (const line of wrapped(text, width)) {
      expect(line).not.toMatch(/^[:;!?»]|«$/)
      expect(displayWidth(line)).toBeLessThanOrEqual(width)
    }
})

describe.each(["en", "fr"] as const)("the glossary in %s", (language) => {
  test("explains every word that it uses as one of its own", async () => {
    const { glossary } = (await import(join(import.meta.dir, language, "glossary.ts"))) as {
      glossary: Record<string, { text: string }>
    }
    for (const [key, { text }] of Object.entries(glossary))
      for (const [, word = ""] of text.matchAll(/\[([^\]]+)\]/g)) {
        expect([key, word, word in glossary]).toEqual([key, word, true])
        expect([key, word]).not.toEqual([key, key])
      }
  })
})

test("the repairs of findings name flags that run has", async () => {
  const { default: run } = await import("../commands/container/run.ts")
  const known = new Set(Object.keys(run.flags).map((property) => `--${flagName(property)}`))
  for (const language of ["en", "fr"])
    for (const [key, text] of await load(language as "en", "security.ts"))
      if (key.endsWith(".repair"))
        for (const [flag] of text.matchAll(/--[a-z-]+/g))
          expect([key, flag, known.has(flag)]).toEqual([key, flag, true])
})
