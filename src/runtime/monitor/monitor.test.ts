import { expect, test } from "bun:test"
import type { MonitorOptions } from "../runtime.ts"
import { monitorArgs, needsVersion } from "./monitor.ts"

const options = {
  id: "c",
  name: "c",
  bundle: { directory: "/run/c", exitDirectory: "/run/exits" },
  runtime: { path: "/usr/bin/crun", globalArgs: [] },
  tty: false,
  stdin: false,
  exitCommand: [],
  log: { driver: "none" },
} as unknown as MonitorOptions

const limited = (freeBytes: number): MonitorOptions => ({
  ...options,
  log: { driver: "k8s-file", path: "/l", limit: { maxBytes: 1000, freeBytes } },
})

test.each([
  ["conmon version 2.1.6\ncommit: unknown\n", "300"],
  ["conmon version 2.1.9\n", "300"],
  ["conmon version 2.0.30\n", "300"],
  ["conmon version 2.1.10\n", "1000"],
  ["conmon version 2.1.12\n", "1000"],
  ["conmon version 2.2.0\n", "1000"],
  ["conmon version 3.0.1\n", "1000"],
])("a log file that holds something is limited as %p counts", (version, expected) => {
  const words = monitorArgs("/usr/bin/conmon", limited(300), version)
  expect(words[words.indexOf("--log-size-max") + 1]).toBe(expected)
})

test("only for a log file that holds something conmon's version is needed", () => {
  expect([options, limited(1000), limited(300)].map(needsVersion)).toEqual([false, false, true])
})
