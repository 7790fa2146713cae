import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { isReady, readReady, removeReady, writeReady } from "./ready-file.ts"

test("a resolver is ready when questions are led to it, and its port is known before", () => {
  const runRoot = tempDirectory("skiff-ready-")
  expect([readReady(runRoot), isReady(runRoot)]).toEqual([undefined, false])
  writeReady(runRoot, 700, { isLed: false })
  expect([readReady(runRoot)?.port, isReady(runRoot)]).toEqual([700, false])
  writeReady(runRoot, 700, { isLed: true })
  expect([readReady(runRoot)?.port, isReady(runRoot)]).toEqual([700, true])
  // as earlier versions write it, and of a process that has ended
  const { pid, startTime } = readReady(runRoot) ?? { pid: 0, startTime: 0 }
  writeFileSync(join(runRoot, "network/resolver"), `701 ${pid} ${startTime}`)
  expect(isReady(runRoot)).toBe(true)
  writeFileSync(join(runRoot, "network/resolver"), `701 ${pid} ${startTime + 1}`)
  expect(isReady(runRoot)).toBe(false)
  removeReady(runRoot)
  expect(readReady(runRoot)).toBe(undefined)
})
