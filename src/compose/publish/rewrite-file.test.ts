import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { newName } from "./new-name.ts"
import { rewriteFile } from "./rewrite-file.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-rewrite-"))
writeFileSync(join(directory, "base.yaml"), "")
afterAll(() => rmSync(directory, { recursive: true }))

const rewrite = (text: string) =>
  rewriteFile(Buffer.from(text), { path: "/app/compose.yaml", directory, environment: { STAGE: "test" } })
const env = (name: string) => newName(join(directory, name), "env")
const yaml = (name: string) => newName(join(directory, name), "yaml")

test.each([
  ["a: {env_file: a.env} # why", `a: {env_file: ${env("a.env")}} # why`],
  ["a: {env_file: ['it''s.env', \"b\\u002eenv\"]}", `a: {env_file: [${env("it's.env")}, ${env("b.env")}]}`],
  [
    "a: {env_file: [{path: $STAGE.env, required: false}]}",
    `a: {env_file: [{path: ${env("test.env")}, required: false}]}`,
  ],
  [
    "a: {env_file: &e !!str a.env}\n  b: {env_file: *e}",
    `a: {env_file: &e !!str ${env("a.env")}}\n  b: {env_file: *e}`,
  ],
  ["a: &a {env_file: a.env}\n  b: {<<: [*a]}", `a: &a {env_file: ${env("a.env")}}\n  b: {<<: [*a]}`],
  ["a: {extends: {file: base.yaml, service: a.env}}", `a: {extends: {file: ${yaml("base.yaml")}, service: a.env}}`],
])("names of files are replaced where they stand: %j", (text, expected) => {
  expect(rewrite(`services:\n  ${text}\n`).bytes.toString()).toBe(`services:\n  ${expected}\n`)
})

test("a file that names no others stays byte for byte", () => {
  const text = "\uFEFFservices:\r\n  a: {image: a, extends: b}\r\n"
  expect(rewrite(text)).toEqual({ bytes: Buffer.from(text), environmentFiles: [], extendedFiles: [] })
})

test("what is extended of another machine stays", () => {
  const text = "services: {a: {extends: {file: 'oci://registry.example.com/a:1', service: a}}}\n"
  expect(rewrite(text).bytes.toString()).toBe(text)
})

test("a name that is folded over lines is refused, not spoilt", () => {
  expect(() => rewrite("services:\n  a:\n    env_file: >-\n      a\n      b.env\n")).toThrow("is on several lines")
})

test.each(["[a.yaml]", "[{path: [oci://a, a.yaml]}]", "[$STAGE.yaml]"])(
  "the include %s of this machine is refused",
  (include) => {
    expect(() => rewrite(`include: ${include}\n`)).toThrow("cannot publish compose file with local includes")
  },
)
