import { expect, test } from "bun:test"
import type { FilesOperation, RunOperation, Vertex } from "../plan/definition.ts"
import { firstDifference, keyOf, keyParts } from "./key.ts"

const run: RunOperation = {
  kind: "run",
  argv: ["/bin/sh", "-c", "make"],
  env: ["PATH=/bin", "CC=gcc"],
  cwd: "/src",
  user: "",
  mounts: [],
  network: "default",
  security: "sandbox",
}

function partsOf(
  operation: RunOperation | FilesOperation,
  root = "image x",
  files = "f1",
  architecture = "amd64",
  isSingleUid = false,
) {
  const platform = { os: "linux", architecture }
  const vertex: Vertex & { operation: typeof operation } = {
    operation,
    inputs: [],
    name: "[2/2] RUN make",
    ignoreCache: false,
    platform,
  }
  return keyParts(vertex, root, [{ label: "the files of the context", value: files }], {
    epoch: undefined,
    isSingleUid,
  })
}

test("equal steps have equal keys, whatever the order their fields were written in", () => {
  const { kind, ...rest } = run
  expect(keyOf("content", partsOf({ ...rest, kind }))).toBe(keyOf("content", partsOf(run)))
  expect(keyOf("definition", partsOf(run))).not.toBe(keyOf("content", partsOf(run)))
})

test.each([
  [{ ...run, argv: ["/bin/sh", "-c", "make all"] }, "the command differs"],
  [{ ...run, env: ["PATH=/bin", "CC=clang"] }, "the variable CC differs"],
  [{ ...run, env: [...run.env, "A=1"] }, "the variable A is new"],
  [{ ...run, env: ["PATH=/bin"] }, "the variable CC is gone"],
  [{ ...run, cwd: "/" }, "the working directory differs"],
  [{ ...run, user: "nobody" }, "the user differs"],
  [{ ...run, network: "none" as const }, "the network differs"],
  [{ ...run, security: "insecure" as const }, "the network differs"],
  [{ ...run, mounts: [{ type: "tmpfs" as const, target: "/t" }] }, "the mounts differ"],
])("a step that differs has another key and the reason for it: %#", (other, reason) => {
  expect(keyOf("content", partsOf(other))).not.toBe(keyOf("content", partsOf(run)))
  expect(firstDifference(partsOf(other), partsOf(run))).toBe(reason)
})

test("a RUN that knows root alone gives a result of its own", () => {
  const alone = partsOf(run, undefined, undefined, undefined, true)
  expect(firstDifference(alone, partsOf(run))).toBe("the isolation level is new")
  const copy: FilesOperation = { kind: "files", actions: [] }
  expect(partsOf(copy, undefined, undefined, undefined, true)).toEqual(partsOf(copy))
})

test("the step below, the platform and the files read are parts of the key", () => {
  expect(firstDifference(partsOf(run, "image y", "f2"), partsOf(run))).toBe("the step before it differs")
  expect(firstDifference(partsOf(run, "image x", "f2"), partsOf(run))).toBe("the files of the context differ")
  expect(firstDifference(partsOf(run, "image x", "f1", "arm64"), partsOf(run))).toBe("the platform differs")
  expect(firstDifference(partsOf(run), partsOf(run))).toBeUndefined()
})
