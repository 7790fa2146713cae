import { expect, test } from "bun:test"
import type { DiffId } from "../../spec/digest.ts"
import { imageConfig } from "./image-config.ts"

const image = { architecture: "amd64", os: "linux", config: { Env: ["A=1"] } }
const diffIds = ["sha256:a", "sha256:b"] as unknown as DiffId[]
const made = new Date("2026-02-02T00:00:00.500Z")

test("lines without a layer have the time of the layer before; the first ones, of the first new layer", () => {
  const config = imageConfig({
    image,
    history: [
      { created: "2020-01-01T00:00:00Z", created_by: "base" },
      { created_by: "ENV A=1", empty_layer: true },
      { created_by: "RUN x" },
      { created_by: "CMD x", empty_layer: true },
    ],
    diffIds,
    layerTimes: [undefined, made],
    epoch: undefined,
  })
  expect(config.history?.map(({ created }) => created)).toEqual([
    "2020-01-01T00:00:00Z",
    "2026-02-02T00:00:00.500Z",
    "2026-02-02T00:00:00.500Z",
    "2026-02-02T00:00:00.500Z",
  ])
  expect(config.created).toBe("2026-02-02T00:00:00.500Z")
})

test("without any new layer all has the time of the base", () => {
  const config = imageConfig({
    image,
    history: [{ created: "2020-01-01T00:00:00Z" }, { created_by: "ENV A=1", empty_layer: true }],
    diffIds: diffIds.slice(0, 1),
    layerTimes: [undefined],
    epoch: undefined,
  })
  expect([config.created, config.history?.[1]?.created]).toEqual(["2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
})

test("an epoch is the time of the image", () => {
  const config = imageConfig({ image, history: [], diffIds: [], layerTimes: [], epoch: 0 })
  expect(config.created).toBe("1970-01-01T00:00:00Z")
})

test("a base that tells too little of its layers gets lines for the others, so that ours stay with ours", () => {
  const config = imageConfig({
    image,
    history: [{ created_by: "RUN x" }],
    diffIds,
    layerTimes: [undefined, made],
    epoch: undefined,
  })
  expect(config.history?.map(({ created_by }) => created_by)).toEqual([undefined, "RUN x"])
  expect(config.history?.[1]?.created).toBe(made.toISOString())
})
