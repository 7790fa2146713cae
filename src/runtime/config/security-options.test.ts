import { expect, test } from "bun:test"
import { guardedPaths, labelsOf, withProcOptions } from "./security-options.ts"
import { parseSecurityOptions } from "../../spec/docker/security-option.ts"

const USUAL = { masked: ["/proc/acpi", "/proc/kcore", "/sys/firmware"], readonly: ["/proc/bus", "/proc/sys"] }
const guarded = (...options: string[]) => guardedPaths(parseSecurityOptions(options), USUAL)

test("paths are hidden besides the usual ones, or no longer", () => {
  expect(guarded()).toEqual({ maskedPaths: USUAL.masked, readonlyPaths: USUAL.readonly })
  expect(guarded("mask=/etc/x").maskedPaths).toEqual([...USUAL.masked, "/etc/x"])
  expect(guarded("unmask=/proc/kcore:/proc/sys/")).toEqual({
    maskedPaths: ["/proc/acpi", "/sys/firmware"],
    readonlyPaths: ["/proc/bus"],
  })
  expect(guarded("unmask=/proc/*")).toEqual({ maskedPaths: ["/sys/firmware"], readonlyPaths: [] })
  expect(guarded("unmask=/p*")).toEqual({ maskedPaths: USUAL.masked, readonlyPaths: USUAL.readonly })
  expect(guarded("unmask=ALL", "mask=/etc/x")).toEqual({ maskedPaths: ["/etc/x"], readonlyPaths: [] })
})

test("options of /proc go to a /proc of the container's own alone", () => {
  const settings = parseSecurityOptions(["proc-opts=hidepid=2"])
  const proc = { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] }
  expect(withProcOptions([proc], settings)).toEqual([{ ...proc, options: ["nosuid", "hidepid=2"] }])
  expect(() => withProcOptions([{ ...proc, type: "bind" }], settings)).toThrow("cannot be set")
})

test("parts of a label that are not given are those of containers", () => {
  expect(labelsOf({ type: "spc_t", level: "s0:c1" })).toEqual({
    process: "system_u:system_r:spc_t:s0:c1",
    mount: "system_u:object_r:container_file_t:s0:c1",
  })
})
