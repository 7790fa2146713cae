import { expect, test } from "bun:test"
import { parseByteSize } from "./byte-sizes.ts"
import { decodeProject } from "./decode.ts"
import { parseDuration, showDuration } from "./durations.ts"
import { shellWords } from "./shell-words.ts"
import type { Tree, TreeMap } from "./tree.ts"

function decoded(keys: TreeMap): unknown {
  return decodeProject({ services: { a: keys } }).services.a
}

// by docker compose 2.40.3
test.each<[TreeMap, unknown]>([
  [
    { environment: ["A", "B=1"], labels: ["a", "b=1=2"] },
    { environment: { A: null, B: "1" }, labels: { a: "", b: "1=2" } },
  ],
  [{ extra_hosts: ["b:1", "a=2", "c=[::1]", "a:3"] }, { extra_hosts: ["a=2", "a=3", "b=1", "c=::1"] }],
  [
    { mem_limit: "1.5 GiB", shm_size: 64, memswap_limit: -1 },
    { mem_limit: "1610612736", shm_size: "64", memswap_limit: "-1" },
  ],
  [{ mem_limit: 1.5 }, {}],
  [
    { deploy: { update_config: { parallelism: 1, delay: "0s", monitor: "0ms" }, restart_policy: { delay: "0s" } } },
    { deploy: { update_config: { parallelism: 1 }, restart_policy: { delay: "0s" } } },
  ],
  [{ cpus: 0.123456789 }, { cpus: 0.12345679 }],
  [
    {
      secrets: [
        { source: "s", mode: 440 },
        { source: "t", mode: "0440" },
      ],
    },
    {
      secrets: [
        { source: "s", mode: "0670" },
        { source: "t", mode: "0440" },
      ],
    },
  ],
  [{ command: "", entrypoint: null }, { command: [] }],
  [
    { healthcheck: { test: "x", retries: 0, interval: "90s" } },
    { healthcheck: { test: ["CMD-SHELL", "x"], interval: "1m30s", retries: 0 } },
  ],
  [{ tty: false, init: false, user: "", ports: [] }, { init: false }],
  [{ ulimits: { a: 0, b: 3 } }, { ulimits: { a: { soft: 0, hard: 0 }, b: 3 } }],
  [{ gpus: [{ count: "all" }] }, { gpus: [{ count: -1 }] }],
  [
    { provider: { type: "x", options: { a: 1, b: ["x", true] } } },
    { provider: { type: "x", options: { a: ["1"], b: ["x", "true"] } } },
  ],
])("%j is decoded", (keys, expected) => {
  expect(decoded(keys)).toEqual(expected)
})

test("all that is wrong is told, in docker's words", () => {
  expect(() => decoded({ mem_limit: "foo", stop_grace_period: "30", attach: "maybe", command: "a 'b" })).toThrow(
    "decoding failed due to the following error(s):\n\n" +
      "'services[a].attach' invalid boolean: maybe\n" +
      "'services[a].command' invalid command line string\n" +
      "'services[a].mem_limit' invalid size: 'foo'\n" +
      "'services[a].stop_grace_period' time: missing unit in duration \"30\"",
  )
})

test.each<[string, string]>([
  ["1h30m5s", "1h30m5s"],
  ["1.5h", "1h30m0s"],
  ["100us", "100µs"],
  ["1d", "24h0m0s"],
  ["2w3d", "408h0m0s"],
  ["-5s", "-5s"],
  ["0s", "0s"],
  ["1500ms", "1.5s"],
])("the duration %s is %s", (text, expected) => {
  expect(showDuration(parseDuration(text))).toBe(expected)
})

test.each(["", "foo", "30", "5x", "-"])("%p is no duration", (text) => {
  expect(() => parseDuration(text)).toThrow(/^time: /)
})

test.each<[string, bigint]>([
  ["100", 100n],
  ["5b", 5n],
  ["1k", 1024n],
  ["1.5m", 1_572_864n],
  ["2 GB", 2_147_483_648n],
])("the size %s", (text, expected) => {
  expect(parseByteSize(text)).toBe(expected)
})

test.each<[string, string[] | undefined]>([
  ["a 'b c' \"d 'e\"", ["a", "b c", "d 'e"]],
  ["a\\ b \\\\ a\\tb", ["a b", "\\", "atb"]],
  ["'' a", ["", "a"]],
  ["a | b > c", ["a"]],
  ["a 2>f", ["a"]],
  ["a $(b c) `d e`", ["a", "$(b c)", "`d e`"]],
  ["a #b", ["a", "#b"]],
  ["a 'b", undefined],
  ["a\\", undefined],
  ["(a)", undefined],
])("the words of %p", (line, expected) => {
  expect(shellWords(line)).toEqual(expected)
})

test("a size of a wrong kind names the kind", () => {
  const wrong: [Tree, string][] = [
    [{ size: "1q" }, "'services[a].volumes[0].tmpfs.size' invalid suffix: 'q'"],
    [{ mode: "755" }, "'services[a].volumes[0].tmpfs.mode' expected type 'uint32', got unconvertible type 'string'"],
  ]
  for (const [tmpfs, message] of wrong)
    expect(() => decoded({ volumes: [{ type: "tmpfs", target: "/x", tmpfs }] })).toThrow(message)
})
