import { expect, test } from "bun:test"
import { stageOf } from "./debian.ts"
import { suiteOfTag } from "./debian-tags.ts"

test.each([
  ["12", "bookworm"],
  ["12-slim", "bookworm"],
  ["13-slim", "trixie"],
  ["trixie-slim", "trixie"],
  ["bookworm", "bookworm"],
  ["stable-slim", "stable"],
  ["sid", "sid"],
  ["latest", undefined],
])("the tag %s is of the suite %s", (tag, suite) => expect(suiteOfTag(tag)).toBe(suite))

test.each(["12.5", "7", "bookworm-20240513-slim", "--help", "a b", "../x", "", "$(id)"])("%p is refused", (tag) => {
  expect(() => suiteOfTag(tag)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
})

test("of mmdebstrap's chatter what takes its time is a stage", () => {
  const lines = `I: automatically chosen mode: root
I: chroot architecture amd64 is equal to the host's architecture
I: using /tmp/mmdebstrap.x as tempdir
I: running apt-get update...
I: downloading packages with apt...
I: extracting archives...
I: installing essential packages...
I: cleaning package lists and apt cache...
I: creating tarball...
I: done
I: success in 20.1 seconds`
  expect(lines.split("\n").flatMap((line) => stageOf(line) ?? [])).toEqual([
    "updating-lists",
    "downloading-packages",
    "unpacking-packages",
    "installing-packages",
    "cleaning",
    "packing",
  ])
})
