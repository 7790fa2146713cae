import { expect, test } from "bun:test"
import { NO_CHANGES } from "./builder.suite.ts"
import { changeConfig } from "./change-config.ts"
import type { ConfigChanges, WorkingImage } from "./builder.ts"

const IMAGE: WorkingImage = {
  architecture: "amd64",
  os: "linux",
  annotations: {},
  config: { Env: ["PATH=/bin", "A=1"], Cmd: ["sh"], Labels: { x: "y" }, ExposedPorts: { "80/tcp": {} } },
}

const changed = (changes: Partial<ConfigChanges>) => changeConfig(IMAGE, { ...NO_CHANGES, ...changes }).config

test("no changes change nothing", () => {
  expect(changeConfig(IMAGE, NO_CHANGES)).toEqual(IMAGE)
})

test("a variable keeps its place, a new one goes to the end, one without value goes", () => {
  expect(
    changed({
      env: [
        ["PATH", "/sbin"],
        ["B", "a=b"],
      ],
    }).Env,
  ).toEqual(["PATH=/sbin", "A=1", "B=a=b"])
  expect(
    changed({
      env: [
        ["A", undefined],
        ["ABSENT", undefined],
      ],
    }).Env,
  ).toEqual(["PATH=/bin"])
  expect(changed({ env: [["__proto__", "x"]] }).Env).toEqual(["PATH=/bin", "A=1", "__proto__=x"])
})

test("what becomes empty is not written", () => {
  const config = changed({ config: { Cmd: [], User: "" }, labels: [["x", undefined]], ports: [["80", undefined]] })
  expect(config).toEqual({ Env: ["PATH=/bin", "A=1"] })
})

test("a new entrypoint leaves the command, as buildah does", () => {
  expect(changed({ config: { Entrypoint: ["e"] } })).toMatchObject({ Entrypoint: ["e"], Cmd: ["sh"] })
  expect(changed({ config: { Entrypoint: ["e"], Cmd: ["c"] } })).toMatchObject({ Entrypoint: ["e"], Cmd: ["c"] })
})

test("each change becomes a line of the history where that is asked for", () => {
  const { history = [] } = changeConfig(IMAGE, {
    ...NO_CHANGES,
    config: { Entrypoint: ["e"], User: "1000" },
    env: [
      ["B", "2"],
      ["A", undefined],
    ],
    onBuild: ["RUN x"],
    addHistory: true,
  })
  expect(history.map((entry) => [entry.created_by, entry.empty_layer])).toEqual([
    ["/bin/sh -c #(nop) USER 1000", true],
    ["/bin/sh -c #(nop) ENV B=2", true],
    ['/bin/sh -c #(nop) ENTRYPOINT ["e"]', true],
    ["/bin/sh -c #(nop) ONBUILD RUN x", true],
  ])
})

test("of the key `-`, all go", () => {
  const all = [["-", undefined]] as const
  expect(changed({ env: all, labels: all, ports: all })).toEqual({ Cmd: ["sh"] })
})

test("a variable's value may name others of the container", () => {
  expect(changed({ env: [["PATH", "$PATH:${A}/x:$"]] }).Env).toEqual(["PATH=/bin:1/x:$", "A=1"])
  expect(() => changed({ env: [["B", "$ABSENT"]] })).toThrow('no variable "ABSENT"')
})

test("a health check keeps what is not named, and goes with an empty command", () => {
  const first = changeConfig(IMAGE, { ...NO_CHANGES, config: { Healthcheck: { Test: ["CMD", "x"], Interval: 5 } } })
  expect(first.config.Healthcheck).toEqual({ Test: ["CMD", "x"], Interval: 5, Timeout: 30_000_000_000, Retries: 3 })
  const second = changeConfig(first, { ...NO_CHANGES, config: { Healthcheck: { Retries: 9 } } })
  expect(second.config.Healthcheck).toMatchObject({ Test: ["CMD", "x"], Interval: 5, Retries: 9 })
  expect(
    changeConfig(second, { ...NO_CHANGES, config: { Healthcheck: { Test: [] } } }).config.Healthcheck,
  ).toBeUndefined()
})
