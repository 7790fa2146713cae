import { expect, test } from "bun:test"
import type { Digest } from "../spec/digest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import { parsePlatform } from "../spec/platform.ts"
import { choosePlatform } from "./choose-platform.ts"

const entry = (platform: string | undefined): Descriptor => ({
  mediaType: "m",
  digest: `sha256:${Buffer.from(platform ?? "none")
    .toString("hex")
    .padEnd(64, "0")
    .slice(0, 64)}` as Digest,
  size: 1,
  platform: platform === undefined ? undefined : parsePlatform(platform),
})
const chosen = (there: (string | undefined)[], wanted: string) => {
  const entries = there.map(entry)
  const found = choosePlatform({ schemaVersion: 2, manifests: entries }, parsePlatform(wanted), "x")
  return there[entries.indexOf(found)]
}

test.each([
  [["linux/386", "linux/amd64", "linux/arm64"], "linux/amd64", "linux/amd64"],
  [["linux/386", "linux/arm64"], "linux/amd64", "linux/386"],
  [["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", "linux/arm/v6"],
  [["linux/arm/v7", "linux/arm64/v8"], "linux/arm64", "linux/arm64/v8"],
  [["linux/arm/v5", "linux/arm/v7"], "linux/arm64", "linux/arm/v7"],
  [["unknown/unknown", "linux/amd64"], "linux/amd64", "linux/amd64"],
  [[undefined], "linux/amd64", undefined],
])("of %j, %s takes %s", (there, wanted, expected) => {
  expect(chosen(there, wanted)).toBe(expected)
})

test("what an index has is listed when it has nothing that fits", () => {
  expect(() => chosen(["linux/s390x", "unknown/unknown", "linux/arm/v6"], "linux/amd64")).toThrow(
    expect.objectContaining({ code: "NotFound", hint: "it has: linux/s390x, linux/arm/v6" }),
  )
})
