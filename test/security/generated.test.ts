/**
 * Files that are made for other programs to read: what a container was made with is a word in them, and never a line.
 *
 * One user is enough.
 */
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const HOSTILE = [
  "\rExecStartPre=/bin/touch owned",
  "\nExecStartPre=/bin/touch owned",
  "a\u000bb\u001b[2J",
  '"; %n $HOME \\',
]

test("a unit for systemd has each word of a container in its one line", async () => {
  await skiff.ok("create", "--name", "worded", "busybox", "echo", ...HOSTILE)
  const unit = await skiff.ok("generate", "systemd", "--new", "--name", "worded")
  // systemd.syntax(7): a carriage return ends a line as well
  expect(unit.split(/[\n\r\0]/).filter((line) => line.startsWith("ExecStartPre="))).toEqual([])
  expect(unit).not.toMatch(/[^\n\x20-\x7e]/)
  expect(unit).toContain("\\x0dExecStartPre=")
  expect(unit).toContain("%%n $$HOME")
  await skiff.ok("rm", "worded")
})

test("a document for Kubernetes has them in one string each", async () => {
  await skiff.ok(
    "create",
    "--name",
    "documented",
    "-e",
    "X=a\n---\nkind: Pod",
    "busybox",
    "echo",
    ...HOSTILE,
    "yes",
    "0x1",
  )
  const [document] = [Bun.YAML.parse(await skiff.ok("kube", "generate", "documented"))].flat() as [
    { spec: { containers: [{ args: string[]; command: string[]; env: { name: string; value: string }[] }] } },
  ]
  const [{ args = [], command = [], env }] = document.spec.containers
  expect([...command, ...args].slice(-HOSTILE.length - 2)).toEqual([...HOSTILE, "yes", "0x1"])
  expect(env).toContainEqual({ name: "X", value: "a\n---\nkind: Pod" })
  await skiff.ok("rm", "documented")
})
