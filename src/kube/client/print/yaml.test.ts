import { expect, test } from "bun:test"
import { assert, constantFrom, dictionary, letrec, oneof, property, string } from "fast-check"
import { parse } from "yaml"
import { kubeYaml } from "./yaml.ts"
import { cpuMs } from "../../../../test/support/cpu-time.ts"

test("texts stand as kubectl writes them", () => {
  const document = {
    b: "25%",
    a: "64Mi",
    c: "065cec96-16e2",
    d: "2026-11-30T15:05:59Z",
    e: "1e3",
    f: "yes",
    g: "line\n  two\n",
    h: "",
    i: [],
    j: {},
    k: "a: b",
    l: "8080",
  }
  expect(kubeYaml(document)).toBe(
    'a: 64Mi\nb: 25%\nc: 065cec96-16e2\nd: "2026-11-30T15:05:59Z"\ne: "1e3"\nf: "yes"\ng: |\n  line\n    two\nh: ""\ni: []\nj: {}\nk: "a: b"\nl: "8080"\n',
  )
})

test("whatever is written is read back, by readers of 1.1 and of 1.2", () => {
  const text = oneof(
    string({ maxLength: 12 }),
    constantFrom(
      "a\nb",
      "a\nb\n",
      "\na",
      "a\n\n",
      " a\nb",
      "a \nb",
      "- a",
      "# a",
      "1_000",
      "0x1f",
      ".5",
      "1:20",
      "null",
      "~",
      "on",
      "=",
      "<<",
      "é\n",
    ),
  )
  const { tree } = letrec((tie) => ({
    tree: oneof(
      { maxDepth: 3 },
      text,
      constantFrom(1, -2.5, true, null),
      dictionary(string({ minLength: 1, maxLength: 4 }), tie("tree"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }))
  assert(
    property(tree, (value) => {
      const document = { root: value, list: [value] }
      for (const version of ["1.1", "1.2"] as const)
        expect(parse(kubeYaml(document), { version, merge: false })).toEqual(document)
    }),
    { numRuns: 200 },
  )
})

test("a text of a million digits takes no time", () => {
  const started = cpuMs()
  for (const text of [
    "1".repeat(1_000_000),
    `${"1".repeat(1_000_000)}x`,
    "a ".repeat(500_000),
    `${"1:1".repeat(300_000)}x`,
    " ".repeat(1_000_000),
  ])
    kubeYaml({ text })
  expect(cpuMs() - started).toBeLessThan(15_000)
})
