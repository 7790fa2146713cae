import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hooksOf, resolveCdi, withEdits } from "./cdi.ts"
import { configInput } from "./config-input.suite.ts"

const VENDOR = {
  cdiVersion: "0.6.0",
  kind: "acme.com/tape",
  containerEdits: { env: ["ACME=1"] },
  devices: [
    {
      name: "one",
      containerEdits: { env: ["TAPE=one"], deviceNodes: [{ path: "/dev/tape1", hostPath: "/dev/null" }] },
    },
    {
      name: "two",
      containerEdits: {
        mounts: [{ hostPath: "/usr/lib/tape", containerPath: "/tape", options: ["ro"] }],
        hooks: [{ hookName: "createRuntime", path: "/bin/true", args: ["true", "x"] }],
        additionalGids: [0, 44],
      },
    },
  ],
}

function inDirectories(files: Record<string, unknown>[], body: (directories: string[]) => void): void {
  const root = mkdtempSync(join(tmpdir(), "cdi-"))
  try {
    body(
      files.map((named, index) => {
        const directory = join(root, String(index))
        mkdirSync(directory)
        for (const [name, value] of Object.entries(named))
          writeFileSync(join(directory, name), typeof value === "string" ? value : JSON.stringify(value))
        return directory
      }),
    )
  } finally {
    rmSync(root, { recursive: true })
  }
}

test("devices come with their vendor's edits, which come once", () => {
  inDirectories([{ "acme.json": VENDOR }], (directories) => {
    const edits = resolveCdi(["acme.com/tape=one", "acme.com/tape=two"], directories)
    expect(edits.env).toEqual(["ACME=1", "TAPE=one"])
    const input = withEdits(configInput({ id: "c", rootfs: "/r", argv: ["sh"] }), edits)
    expect(input.devices).toEqual([{ hostPath: "/dev/null", containerPath: "/dev/tape1", permissions: "rwm" }])
    expect(input.mounts).toEqual([
      { destination: "/tape", source: "/usr/lib/tape", type: "bind", options: ["rbind", "ro"] },
    ])
    expect(input.user.additionalGids).toEqual([44])
    expect(hooksOf(edits)).toEqual({ createRuntime: [{ path: "/bin/true", args: ["true", "x"] }] })
  })
})

test("a later directory's device takes the place of an earlier one's; YAML is read, too", () => {
  const yaml = "cdiVersion: 0.6.0\nkind: acme.com/tape\ndevices:\n- name: one\n  containerEdits:\n    env: [A=other]\n"
  inDirectories([{ "acme.json": VENDOR }, { "run.yaml": yaml, "other.txt": "x" }], (directories) => {
    expect(resolveCdi(["acme.com/tape=one"], directories).env).toEqual(["A=other"])
    expect(resolveCdi(["acme.com/tape=two"], directories).env).toEqual(["ACME=1"])
  })
})

test("a file that is wrong is left out, and what is not described is refused with what there is", () => {
  inDirectories([{ "a.json": VENDOR, "b.json": "{", "c.yaml": { ...VENDOR, kind: "no kind" } }], (directories) => {
    expect(resolveCdi(["acme.com/tape=one"], directories).env).toContain("TAPE=one")
    expect(() => resolveCdi(["acme.com/tape=three"], directories)).toThrow(
      expect.objectContaining({ code: "NotFound", hint: { valid: ["acme.com/tape=one", "acme.com/tape=two"] } }),
    )
    expect(() => resolveCdi(["nvidia.com/gpu=all"], directories)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("nvidia-ctk") }),
    )
  })
  expect(() => resolveCdi(["acme.com/tape=one"], ["/no/such/directory"])).toThrow("unresolvable")
})
