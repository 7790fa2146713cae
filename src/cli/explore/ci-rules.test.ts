import { expect, test } from "bun:test"
import { execFileSync } from "node:child_process"
import { symlinkSync } from "node:fs"
import { join } from "node:path"
import { readCiRules } from "./ci-rules.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"

test("a pipe or a device in a file of rules' place is refused, not waited for or read", () => {
  const directory = tempDirectory("skiff-dive-")
  const [pipe, zero] = [join(directory, "pipe"), join(directory, "zero")]
  execFileSync("mkfifo", [pipe])
  symlinkSync("/dev/zero", zero)
  for (const file of [pipe, zero]) expect(() => readCiRules(file, {})).toThrow("it is no file")
})
