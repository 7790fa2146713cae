import { expect, test } from "bun:test"
import type { Image } from "../image/image.ts"
import type { Digest } from "../spec/digest.ts"
import { familiarName } from "../image/image.ts"
import { imageRows } from "./image-row.ts"

const digest = `sha256:${"a".repeat(64)}` as Digest
const image = (tags: string[], repoDigests: string[] = []): Image => ({
  id: digest,
  manifest: { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1 },
  tags,
  repoDigests,
  platform: { os: "linux", architecture: "amd64" },
  createdAt: undefined,
  sizeBytes: 1,
  topLayer: undefined,
})
const rowsOf = (one: Image) => imageRows(one, { noTrunc: false, digests: false })

test.each([
  "docker.io/library/debian:12",
  "docker.io/team/app:1",
  "docker.io/library/a/b:1",
  "localhost:5000/app:latest",
  "localhost/library/app:x",
  "[::1]:5000/app:v1.2-3",
])("the line of %s is as the name is typed", (name) => {
  const [row] = rowsOf(image([name]))
  expect(`${row?.Repository}:${row?.Tag}`).toBe(familiarName(name))
})

test("a line has the digest of its own repository, and an image without tags one for each digest", () => {
  const digests = [`docker.io/library/debian@${digest}`, `localhost:5000/app@sha256:${"b".repeat(64)}`]
  const [row] = rowsOf(image(["docker.io/library/debian:12"], digests))
  expect(row).toMatchObject({ Repository: "debian", Tag: "12", Digest: digest })
  expect(rowsOf(image([], digests)).map(({ Repository, Tag }) => [Repository, Tag])).toEqual([
    ["debian", "<none>"],
    ["localhost:5000/app", "<none>"],
  ])
  expect(rowsOf(image([]))).toMatchObject([{ Repository: "<none>", Tag: "<none>", Digest: "<none>" }])
})
