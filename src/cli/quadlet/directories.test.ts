import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { loadUnits } from "./directories.ts"

const admin = mkdtempSync(join(tmpdir(), "skiff-quadlet-"))
afterAll(() => rmSync(admin, { recursive: true }))
for (const path of ["root", "more/below", "users/everyone", "users/group/some", "users/1000/own", "users/1001/other"]) {
  mkdirSync(dirname(join(admin, path)), { recursive: true })
  writeFileSync(join(admin, `${path}.container`), "[Container]\nImage=x\n")
}
const names = (...directories: string[]) =>
  [
    ...loadUnits(
      directories.map((one) => (one === "" ? admin : join(admin, one))),
      admin,
    ).units.values(),
  ]
    .map(({ name }) => name)
    .toSorted()

test("what is for ordinary users becomes no service of root's", () => {
  expect(names("")).toEqual(["below", "root"])
})

test("what is for one user becomes no service of another", () => {
  expect(names("users/1000", "users")).toEqual(["everyone", "own", "some"])
})
