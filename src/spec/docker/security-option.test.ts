import { describe, expect, test } from "bun:test"
import { parseSecurityOptions } from "./security-option.ts"

describe("parseSecurityOptions()", () => {
  test("knows what docker and podman document; the last one counts where one is meant", () => {
    expect(parseSecurityOptions([])).toEqual({
      noNewPrivileges: false,
      writableCgroups: false,
      mask: [],
      unmask: [],
      procOptions: [],
    })
    expect(
      parseSecurityOptions([
        "no-new-privileges",
        "seccomp=unconfined",
        "seccomp:builtin",
        "apparmor=docker-default",
        "label=type:spc_t",
        "label=level:s0:c1,c2",
        "mask=/a:/b/c",
        "unmask=/proc/acpi",
        "unmask=/sys/*:/proc/k*",
        "proc-opts=hidepid=2,subset=pid",
        "writable-cgroups=true",
      ]),
    ).toEqual({
      noNewPrivileges: true,
      seccomp: "builtin",
      apparmor: "docker-default",
      label: { type: "spc_t", level: "s0:c1,c2" },
      mask: ["/a", "/b/c"],
      unmask: ["/proc/acpi", "/sys/*", "/proc/k*"],
      procOptions: ["hidepid=2", "subset=pid"],
      writableCgroups: true,
    })
    expect(parseSecurityOptions(["no-new-privileges", "no-new-privileges:false"]).noNewPrivileges).toBe(false)
    expect(parseSecurityOptions(["label=type:x", "label=disable"]).label).toBeUndefined()
    for (const all of ["unmask=ALL", "unmask=all", "systempaths=unconfined"])
      expect(parseSecurityOptions([all, "unmask=/x"]).unmask).toBe("all")
  })

  test.each([
    "",
    "no-new-privilege",
    "no-new-privileges=yes",
    "seccomp",
    "seccomp=",
    "apparmor=",
    "apparmor=a b",
    "label",
    "label=colour:red",
    "label=type:a b",
    "mask=etc",
    "mask=/a/../etc",
    "mask=/",
    "unmask=",
    "unmask=/a:b",
    "systempaths=confined",
    "proc-opts=",
    "proc-opts=hidepid=2,,",
    "proc-opts=hidepid=2 exec",
    "writable-cgroups=1",
    "Seccomp=unconfined",
  ])("refuses %j", (option) => {
    expect(() => parseSecurityOptions([option])).toThrow(
      expect.objectContaining({ code: "InvalidArgument", field: "securityOptions" }),
    )
  })
})
