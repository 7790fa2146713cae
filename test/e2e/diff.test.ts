/** diff: what containers and images have changed, in docker's letters and podman's JSON. One user is enough. */
import { beforeAll, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const lines = async (...args: string[]) => (await skiff.ok(...args)).split("\n").filter(Boolean)

const SCRIPT = `mkdir -p /new/deep; echo x > /new/deep/f; echo y >> /etc/passwd; rm /etc/group; chmod 700 /home; rm -r /var/www;
  rm /bin/cat; mkdir /bin/cat; touch /tmp; ln -s a /root/link`
const CHANGES = [
  "C /bin",
  "C /bin/cat",
  "C /etc",
  "D /etc/group",
  "C /etc/passwd",
  "C /home",
  "A /new",
  "A /new/deep",
  "A /new/deep/f",
  "C /root",
  "A /root/link",
  "C /var",
  "D /var/www",
]

beforeAll(async () => {
  await skiff.ok("run", "--name", "changed", "--network", "none", "busybox", "sh", "-c", SCRIPT)
  await skiff.ok("commit", "changed", "changed:1")
})

test.each(["diff", "container diff"])("%s lists what was added, changed and deleted", async (command) => {
  expect(await lines(...command.split(" "), "changed")).toEqual(CHANGES)
})

test("a container that has written nothing has no changes, though it runs with files bound into /etc", async () => {
  await skiff.ok("run", "-d", "--name", "quiet", "busybox", "sleep", "1000")
  expect(await lines("diff", "quiet")).toEqual([])
  await skiff.ok("exec", "quiet", "touch", "/etc/new")
  expect(await lines("diff", "quiet")).toEqual(["C /etc", "A /etc/new"])
  await skiff.ok("rm", "-f", "quiet")
})

test("--format json is podman's document, a template has kind and path", async () => {
  const document = JSON.parse(await skiff.ok("diff", "--format", "json", "changed")) as Record<string, string[]>
  expect(document.deleted).toEqual(["/etc/group", "/var/www"])
  expect(document.added).toEqual(["/new", "/new/deep", "/new/deep/f", "/root/link"])
  expect(document.changed).toContain("/etc/passwd")
  expect(await lines("diff", "--format", "{{.Path}}={{.Kind}}", "changed")).toContain("/etc/group=D")
  expect(JSON.parse(await skiff.ok("diff", "--json", "busybox"))).toHaveProperty("added")
})

test("an image is compared with the image below it, or with any other", async () => {
  expect(await lines("image", "diff", "changed:1")).toEqual(CHANGES)
  expect(await lines("diff", "changed:1", "busybox")).toEqual(CHANGES)
  const back = await lines("image", "diff", "busybox", "changed:1")
  expect(back).toContain("A /etc/group")
  expect(back).toContain("D /new")
  const times = await lines("diff", "changed", "changed:1") // an image keeps whole seconds
  expect(times.filter((line) => !line.startsWith("C"))).toEqual([])
  expect((await lines("image", "diff", "busybox"))[0]).toBe("A /bin")
})

test("what is not there is told by its kind", async () => {
  for (const [args, words] of [
    [["diff", "nosuch"], /no such container or image: "nosuch"/],
    [["container", "diff", "nosuch"], /no such container/],
    [["image", "diff", "nosuch"], /no such image/],
    [["diff", "changed", "nosuch"], /no such/],
  ] as const) {
    const { code, stderr } = await skiff.run(args)
    expect({ args, code }).toEqual({ args, code: 1 })
    expect(stderr).toMatch(words)
  }
})
