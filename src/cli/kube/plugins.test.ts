import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { findPlugins } from "./plugins.ts"

test("plugins are found in the order of PATH, with why one would not run", () => {
  const root = tempDirectory("skiff-plugins-")
  const [one, other] = [join(root, "one"), join(root, "other")]
  for (const directory of [one, other]) {
    mkdirSync(directory)
    writeFileSync(join(directory, "kubectl-ctx"), "", { mode: 0o755 })
  }
  mkdirSync(join(one, "kubectl-directory"))
  writeFileSync(join(other, "kubectl-plain"), "", { mode: 0o644 })
  expect(findPlugins(`${one}:/nowhere::${other}:${one}`)).toEqual([
    { name: "kubectl-ctx", path: join(one, "kubectl-ctx") },
    {
      name: "kubectl-ctx",
      path: join(other, "kubectl-ctx"),
      warning: `${join(other, "kubectl-ctx")} is overshadowed by a similarly named plugin: ${join(one, "kubectl-ctx")}`,
    },
    {
      name: "kubectl-plain",
      path: join(other, "kubectl-plain"),
      warning: `${join(other, "kubectl-plain")} identified as a kubectl plugin, but it is not executable`,
    },
  ])
})
