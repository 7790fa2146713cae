import { expect, test } from "bun:test"
import { changeDraft } from "./change-draft.ts"
import type { DraftChanges, ImageDraft } from "./working.ts"

const NONE: DraftChanges = {
  about: {},
  config: {},
  env: [],
  labels: [],
  annotations: [],
  ports: [],
  volumes: [],
  onBuild: [],
  addHistory: false,
}
const DRAFT: ImageDraft = {
  architecture: "amd64",
  os: "linux",
  annotations: {},
  config: { Env: ["PATH=/bin", "A=1"], Cmd: ["sh"], Labels: { x: "y" }, ExposedPorts: { "80/tcp": {} } },
}

const changed = (changes: Partial<DraftChanges>) => changeDraft(DRAFT, { ...NONE, ...changes }).config

test("no changes change nothing", () => {
  expect(changeDraft(DRAFT, NONE)).toEqual(DRAFT)
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
  const { history = [] } = changeDraft(DRAFT, {
    ...NONE,
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
