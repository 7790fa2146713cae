import { expect, test } from "bun:test"
import { nearestImage } from "./nearest-image.ts"

const names = [
  "docker.io/library/debian:12-slim",
  "docker.io/library/debian:trixie",
  "docker.io/library/postgres:16",
  "localhost/busybox:latest",
  "quay.io/team/app:1",
]

test.each([
  ["debian:12", "debian:12-slim"],
  ["debian:trixi", "debian:trixie"],
  ["debian", "debian:12-slim"],
  ["postgress", "postgres:16"],
  ["busibox", "localhost/busybox:latest"],
  ["busybox:1.36", "localhost/busybox:latest"],
  ["quay.io/team/ap", "quay.io/team/app:1"],
  ["alpine", undefined],
  ["x".repeat(300), undefined],
])("%s is near %s", (text, near) => expect(nearestImage(text, names)).toBe(near as string))
