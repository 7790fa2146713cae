import { expect, test } from "bun:test"
import type { ChainId, Digest } from "../spec/digest.ts"
import type { HistoryEntry, ImageConfig } from "../spec/oci-image.ts"
import type { Image } from "./image.ts"
import { imageHistory } from "./image-history.ts"

const image: Image = {
  id: "sha256:top" as Digest,
  manifest: { mediaType: "m", digest: "sha256:m" as Digest, size: 1 },
  tags: ["docker.io/library/x:1"],
  repoDigests: [],
  platform: { os: "linux", architecture: "amd64" },
  createdAt: new Date("2024-01-01T00:00:00Z"),
  sizeBytes: 30,
  topLayer: undefined,
}

function lines(history: HistoryEntry[] | undefined, sizes: number[]): string[] {
  const config: ImageConfig = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, history }
  const layers = sizes.map((sizeBytes) => ({ chainId: "c" as ChainId, sizeBytes }))
  return imageHistory(image, config, layers).map(
    (line) => `${line.id} ${line.createdBy} ${line.sizeBytes} ${line.tags.length}`,
  )
}

test("sizes go to the steps that made a layer; the first line has the id and the names", () => {
  const history = [{ created_by: "ADD" }, { created_by: "ENV", empty_layer: true }, { created_by: "RUN" }]
  expect(lines(history, [10, 20])).toEqual(["sha256:top RUN 20 1", "<missing> ENV 0 0", "<missing> ADD 10 0"])
})

test("a layer that no step names still has a line; a step without a layer has size 0", () => {
  expect(lines(undefined, [10, 20])).toEqual(["sha256:top  20 1", "<missing>  10 0"])
  expect(lines([{ created_by: "A" }, { created_by: "B" }], [10])).toEqual(["sha256:top B 0 1", "<missing> A 10 0"])
  expect(lines(undefined, [])).toEqual([])
})
