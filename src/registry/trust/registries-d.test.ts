import { afterAll, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { signaturePlaces } from "./registries-d.ts"

const home = mkdtempSync(join(tmpdir(), "skiff-registries-d-"))
const directory = join(home, ".config/containers/registries.d")
beforeEach(() => {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
})
afterAll(() => rmSync(home, { recursive: true }))

const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
const places = (repository = "team/app", registry = "a.example:5000") =>
  signaturePlaces({ registry, repository, tag: "1" }, { HOME: home })

test("the most specific namespace that says something counts, each thing for itself", () => {
  write("b.yaml", "docker: { 'a.example:5000/team': { lookaside: 'https://team.example/s/' } }")
  write("a.yaml", "default-docker: { lookaside-staging: 'file:///staging', use-sigstore-attachments: true }")
  write("c.yaml", "docker: { '*.example:5000': { use-sigstore-attachments: false } }")
  write("d.txt", "not: [read")
  // the place to read of a more specific namespace comes before the place to write of a wider one
  expect(places()).toEqual({
    lookaside: "https://team.example/s",
    staging: "https://team.example/s",
    attachments: false,
  })
  expect(places("other/app")).toMatchObject({ staging: "file:///staging", attachments: false })
  expect(places("x", "b.test")).toMatchObject({ staging: "file:///staging", attachments: true })
})

test("the old names are read, the new ones first", () => {
  write("a.yaml", "default-docker: { sigstore: 'file:///old', sigstore-staging: 'file:///oldest' }")
  expect(places()).toMatchObject({ lookaside: "file:///old", staging: "file:///oldest", attachments: undefined })
})

test.each([
  ["default-docker: { lookaside: /srv }", "is no http://"],
  ["default-docker: { use-sigstore-attachments: 'yes please' }", "is not true or false"],
  ["docker: [a]", "is not a mapping"],
  ["a: b: c", "cannot read"],
])("%s is refused with the file's name", (text, message) => {
  write("a.yaml", text)
  expect(() => places()).toThrow(message)
  expect(() => places()).toThrow("a.yaml")
})

test("a namespace, and the default, may be there once", () => {
  write("a.yaml", "docker: { x.example: { lookaside: 'file:///a' } }")
  write("b.yaml", "docker: { x.example: { lookaside: 'file:///b' } }")
  expect(() => places()).toThrow('a second entry for "x.example"')
})
