import { expect, test } from "bun:test"
import type { Image, ImageDetails } from "../image/image.ts"
import { parseDigest, type DiffId } from "../spec/digest.ts"
import { imageDocument } from "./image-document.ts"

const id = parseDigest(`sha256:${"ab".repeat(32)}`)

test("an image's document shows what is not set as null or empty, and its layers highest first", () => {
  const image = { id, tags: ["docker.io/library/x:1"], repoDigests: [], sizeBytes: 5 } as unknown as Image
  const details: ImageDetails = {
    image,
    config: {
      architecture: "amd64",
      os: "linux",
      config: { Labels: { who: "me" } },
      rootfs: { type: "layers", diff_ids: [id as unknown as DiffId] },
    },
    storage: { driver: "overlay", layerDirectories: ["/low", "/middle", "/top"] },
  }
  expect(imageDocument(details)).toMatchObject({
    Id: id,
    RepoTags: ["x:1"],
    Config: { Labels: { who: "me" }, Cmd: null, User: "", WorkingDir: "" },
    RootFS: { Type: "layers", Layers: [id] },
    GraphDriver: { Name: "overlay", Data: { UpperDir: "/top", LowerDir: "/middle:/low" } },
  })
})
