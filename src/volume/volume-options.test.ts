import { expect, test } from "bun:test"
import { parseVolumeOptions } from "./volume-options.ts"

test.each([
  [{}, {}],
  [{ o: "uid=1000,gid=5" }, { uid: 1000, gid: 5 }],
  [{ type: "none", o: "bind", device: "/srv/data" }, { device: "/srv/data" }],
  [{ o: "rbind,rw", device: "/srv" }, { device: "/srv" }],
])("options %p make %p of a volume", (options, place) => {
  expect(parseVolumeOptions(options)).toEqual(place)
})

test.each([
  [{ type: "tmpfs", device: "tmpfs" }, "Unsupported", /type "tmpfs"/],
  [{ type: "nfs", o: "addr=1.2.3.4", device: ":/x" }, "Unsupported", /"addr=1.2.3.4"/],
  [{ o: "size=1g" }, "Unsupported", /"size=1g"/],
  [{ o: "bind", device: "relative" }, "InvalidArgument", /absolute path/],
  [{ o: "bind" }, "InvalidArgument", /absolute path/],
  [{ o: "uid=root" }, "InvalidArgument", /"uid=root"/],
  [{ colour: "red" }, "InvalidArgument", /"colour"/],
])("options %p are refused", (options, code, message) => {
  expect(() => parseVolumeOptions(options)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
})
