import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { parseMountLine, topMounts } from "./mount-table.ts"
import { NAMESPACE_KINDS, namespaceFacts } from "./namespaces.ts"
import { idInside, parseIdMap, parseLimits, processFacts } from "./process.ts"
import { parseRoutes } from "./routes.ts"

test("an id map is read line by line", () => {
  expect(parseIdMap("         0       1001          1\n         1     100000      65536\n")).toEqual([
    { inside: 0, outside: 1001, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ])
  expect(parseIdMap("")).toEqual([])
  const map = [
    { inside: 0, outside: 5000, count: 10 },
    { inside: 10, outside: 9000, count: 5 },
  ]
  expect([5000, 5009, 9004, 4999, 9005].map((id) => idInside(id, map))).toEqual([0, 9, 14, 65_534, 65_534])
})

test("the limits of a process stand in columns", () => {
  const [files] = parseLimits(
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
      "Max open files            1024                 unlimited            files     \n",
  )
  expect(files).toEqual({ name: "Max open files", soft: "1024", hard: "unlimited", units: "files" })
})

test("routes have their addresses in the machine's byte order", () => {
  const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
  expect(
    parseRoutes(
      `${head}eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000011AC\t00000000\t1\t0\t0\t0\t0000FFFF\t0`,
    ),
  ).toEqual([
    { to: "default", via: "172.17.0.1", interface: "eth0" },
    { to: "172.17.0.0/16", interface: "eth0" },
  ])
})

test("a mount's line keeps blanks in names, and the last mount at a place is the one that is seen", () => {
  const lines = [
    "1 0 0:1 / /a\\040b rw,nosuid shared:7 - tmpfs tmpfs rw,size=1k",
    "2 1 0:2 / /a\\040b ro - proc proc rw",
    "x",
  ]
  const [first, second, ...more] = lines.flatMap(parseMountLine)
  expect(more).toEqual([])
  expect(first).toMatchObject({ target: "/a b", superOptions: ["size=1k"], propagation: ["shared:7"] })
  expect(topMounts(lines.flatMap(parseMountLine))).toEqual([second] as never)
})

test("our own process is what /proc says of it", () => {
  const { uid, threads, argv } = processFacts(process.pid)
  expect(uid).toBe(process.getuid?.() ?? -1)
  expect(threads).toBeGreaterThan(0)
  expect(argv.join("\0")).toBe(readFileSync("/proc/self/cmdline", "utf8").replace(/\0$/, ""))
  const facts = namespaceFacts(process.pid, "no container", new Map())
  expect(facts.map(({ kind }) => kind)).toEqual(NAMESPACE_KINDS.map(({ kind }) => kind))
  expect(new Set(facts.map(({ owner }) => owner))).toEqual(new Set(["host"]))
})
