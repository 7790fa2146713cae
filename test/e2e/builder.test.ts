/** `skiff builder`: an image made step by step, Buildah's way. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { chownSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inspectImage, makeContext } from "../support/build.ts"
import { executable } from "../support/skiff.ts"
import { busyboxReference, openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const builder = (...args: string[]) => skiff.ok("builder", ...args)
/** Where an ordinary user sees the files of containers. */
const inNamespaces = (...words: string[]) => skiff.ok("builder", "unshare", executable(), "builder", ...words)

describe("a working container", () => {
  test("is made, changed, configured, committed, removed", async () => {
    const context = makeContext(skiff, { "site/index.html": "hi", "site/sub/page": "page" })
    const name = await builder("from", "busybox")
    expect(name).toBe("busybox-working-container")
    await builder("run", name, "--", "sh", "-c", "echo made > /made")
    await builder("copy", "--chown", "1000:1000", name, join(context, "site"), "/srv/")
    const flags = [
      "--cmd",
      "cat /made /srv/index.html",
      "--env",
      "A=1",
      "--label",
      "x=y",
      "--port",
      "80",
      "--user",
      "user",
    ]
    await builder("config", ...flags, "--workingdir", "/srv", "--author", "me", "--annotation", "k=v", name)
    const id = await builder("commit", name, "made:1")
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await skiff.ok("run", "--rm", "made:1")).toBe("made\nhi")
    expect(await skiff.ok("run", "--rm", "made:1", "stat", "-c", "%u:%g", "/srv/sub/page")).toBe("1000:1000")
    expect(await inspectImage(skiff, "made:1")).toMatchObject({
      Author: "me",
      Config: {
        Cmd: ["cat", "/made", "/srv/index.html"],
        Env: expect.arrayContaining(["A=1"]) as unknown,
        Labels: { x: "y" },
        ExposedPorts: { "80/tcp": {} },
        User: "user",
        WorkingDir: "/srv",
      },
    })
    await builder("rm", name)
    expect(await builder("containers", "-q")).toBe("")
    expect(await skiff.ok("run", "--rm", "made:1")).toBe("made\nhi")
  })

  test("is committed again and again, each time with what has changed", async () => {
    const name = await builder("from", "--name", "again", "busybox")
    await builder("run", name, "touch", "/one")
    await builder("commit", name, "again:1")
    await builder("run", name, "sh", "-c", "rm /one /etc/group; touch /two")
    await builder("commit", name, "again:2")
    expect(await skiff.ok("run", "--rm", "again:1", "sh", "-c", "ls /one /etc/group")).toBe("/etc/group\n/one")
    expect(await skiff.ok("run", "--rm", "again:2", "sh", "-c", "ls -d /one /two /etc/group 2>/dev/null || true")).toBe(
      "/two",
    )
    expect((await inspectImage(skiff, "again:2")).RootFS.Layers).toHaveLength(
      (await inspectImage(skiff, "busybox")).RootFS.Layers.length + 1,
    )
    await builder("rm", name)
  })

  test("from scratch takes programs from another, and archives", async () => {
    const archive = join(skiff.directory, "root.tar")
    writeFileSync(archive, tar([{ name: "etc/passwd", content: "root:x:0:0::/:/bin/sh\n" }]))
    await builder("from", "--name", "empty", "scratch")
    await builder("copy", "--from", "busybox", "empty", "/bin/busybox", "/bin/sh")
    await builder("add", "empty", archive, "/")
    await builder("config", "--entrypoint", '["/bin/sh","-c"]', "--cmd", "'echo $0 runs'", "empty")
    const metadata = await builder("commit", "--rm", "--squash", "--format", "docker", "empty", "tiny")
    expect(await skiff.ok("run", "--rm", "tiny")).toBe("/bin/sh runs")
    expect((await inspectImage(skiff, metadata)).RootFS.Layers).toHaveLength(1)
    expect(await builder("containers", "-q")).toBe("")
  })

  test("names, ids and what is wrong with them", async () => {
    const first = await builder("from", "busybox")
    const second = await builder("from", "busybox")
    expect([first, second]).toEqual(["busybox-working-container", "busybox-working-container-1"])
    expect((await skiff.run(["builder", "from", "--name", first, "busybox"])).stderr).toContain("already in use")
    expect((await skiff.run(["builder", "rename", second, first])).stderr).toContain("already in use")
    await builder("rename", second, "other")
    const document = JSON.parse(await builder("inspect", "other")) as { ContainerID: string; FromImage: string }
    expect(document.FromImage).toBe("busybox")
    expect(await builder("inspect", "--format", "{{.Container}}", document.ContainerID.slice(0, 10))).toBe("other")
    const absent = await skiff.run(["builder", "run", "absent", "true"])
    expect(absent.code).toBe(1)
    expect(absent.stderr).toContain("absent")
    await builder("commit", "other", "only:1")
    await builder("from", "only:1")
    const used = await skiff.run(["rmi", "only:1"])
    expect({ code: used.code, stderr: used.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("using") as string,
    })
    await builder("rm", "--all")
    expect(await builder("containers", "--json")).toBe("[]")
  })

  test("run gives the program's exit code and output, and takes its own variables, user and directory", async () => {
    const name = await builder("from", "--name", "runs", "busybox")
    expect((await skiff.run(["builder", "run", name, "sh", "-c", "exit 42"])).code).toBe(42)
    const words = [
      "--user",
      "user",
      "--env",
      "A=here",
      "--workingdir",
      "/tmp",
      name,
      "sh",
      "-c",
      "id -u; echo $A; pwd; echo err >&2",
    ]
    const { stdout, stderr } = await skiff.run(["builder", "run", ...words])
    expect(stdout).toBe("1000\nhere\n/tmp\n")
    expect(stderr).toBe("err\n")
    await builder("rm", name)
  })

  test("config takes away what it gave", async () => {
    const name = await builder("from", "--name", "less", "busybox")
    await builder("config", "--env", "A=1", "--env", "B=2", "--label", "x=1", "--port", "80", "--volume", "/v", name)
    await builder("config", "--env", "A-", "--label", "x-", "--port", "80-", "--volume", "/v-", name)
    const { OCIv1 } = JSON.parse(await builder("inspect", name)) as { OCIv1: { config: Record<string, unknown> } }
    expect(OCIv1.config.Env).toContain("B=2")
    expect(JSON.stringify(OCIv1.config)).not.toMatch(/A=1|"x"|80\/tcp|"\/v"/)
    await builder("rm", name)
  })

  test("mount shows its files, writable, until unmount; no process is left", async () => {
    const name = await builder("from", "--name", "mounted", "busybox")
    // an ordinary user's mounts go with the namespaces, some seconds after the last program in them
    const shell = skiff.spawn(user.rootless ? ["builder", "unshare", "sh", "-c", "echo in; read _"] : ["version"])
    if (shell.stdout !== null) await once(shell.stdout, "data")
    const path = await inNamespaces("mount", name)
    expect(await inNamespaces("mount", name)).toBe(path)
    expect(JSON.parse(await builder("mount", "--json"))).toEqual([{ container: name, mountPoint: path }])
    if (user.rootless) {
      const outside = await skiff.run(["builder", "mount", name])
      expect(outside.code).toBe(1)
      expect(outside.stderr).toContain("skiff builder unshare")
    }
    expect(await builder("mount")).toBe(`${name} ${path}`)
    await skiff.ok("builder", "unshare", "sh", "-c", `echo by-hand > ${path}/by-hand`)
    expect(await builder("run", name, "cat", "/by-hand")).toBe("by-hand")
    await builder("umount", name)
    expect(await builder("mount")).toBe("")
    expect(await skiff.ok("builder", "unshare", "ls", path).catch(() => "")).toBe("")
    expect(await builder("run", name, "cat", "/by-hand")).toBe("by-hand")
    await inNamespaces("mount", name)
    await builder("rm", name)
    shell.stdin?.end()
    if (shell.exitCode === null) await once(shell, "exit")
  })

  test("a killed command leaves nothing that the next one does not take up", async () => {
    const commands = [
      ["working:prepared", ["builder", "from", "--name", "crash", "busybox"]],
      ["working:marked-mounted", ["builder", "unshare", executable(), "builder", "mount", "crash"]],
      ["working:snapshot-removed", ["builder", "rm", "crash"]],
    ] as const
    for (const [number, [point, dying]] of commands.entries()) {
      for (const [, args] of commands.slice(0, number)) await skiff.ok(...args)
      expect((await skiff.run(dying, { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
      await skiff.run(["builder", "rm", "crash"])
      await builder("from", "--name", "crash", "busybox")
      expect(await builder("run", "crash", "echo", "fine")).toBe("fine")
      await builder("rm", "crash")
      expect(await builder("containers", "-q")).toBe("")
    }
    const left = spawnSync("find", [join(skiff.root, "working"), "-mindepth", "1"]).stdout.toString()
    expect(left).toBe("")
  })
})

test("a name in `copy` that looks like a pattern, and a link, are what they are", async () => {
  const context = makeContext(skiff, { "a[1].txt": "brackets", "a1.txt": "no", link: { link: "a1.txt" } })
  chownSync(context, user.uid, user.gid)
  const name = await builder("from", "--name", "literal", "busybox")
  await builder("copy", "--contextdir", context, name, "a[1].txt", "link", "/d/")
  await builder("copy", name, join(context, "a[1].txt"), join(context, "link"), "/e")
  for (const directory of ["/d", "/e"])
    expect((await builder("run", name, "sh", "-c", `cd ${directory}; ls; cat *`)).split("\n")).toEqual([
      "a[1].txt",
      "link",
      "bracketsno",
    ])
  const { code, stderr } = await skiff.run(["builder", "copy", name, join(context, "absent"), "/"])
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("absent") as string })
  expect(readdirSync(context).length).toBe(3)
  await builder("rm", name)
})

describe("where commit puts its image", () => {
  test("archives and directories, under a name of theirs, with nothing left in the store", async () => {
    const name = await builder("from", "--name", "away", "busybox")
    await builder("run", name, "touch", "/made")
    const before = await skiff.ok("images", "-q")
    for (const [place, words] of [
      [`oci-archive:${skiff.directory}/oci.tar:away:1`, ["load", "-i", `${skiff.directory}/oci.tar`]],
      [`docker-archive:${skiff.directory}/docker.tar:away:2`, ["load", "-i", `${skiff.directory}/docker.tar`]],
      [`oci:${skiff.directory}/directory:3`, ["load", "-i", `${skiff.directory}/directory`]],
    ] as const) {
      const id = await builder("commit", "-q", name, place)
      expect(await skiff.ok("images", "-q")).toBe(before)
      expect(await skiff.ok(...words)).toMatch(/away:[12]|directory:3/)
      expect(await skiff.ok("run", "--rm", id, "ls", "/made")).toBe("/made")
      await skiff.ok("rmi", "-f", id)
      const again = await builder("from", "-q", place)
      expect(await builder("run", again, "ls", "/made")).toBe("/made")
      await builder("rm", again)
      await skiff.ok("rmi", "-f", id)
    }
    await builder("rm", name)
  })

  test("a registry", async () => {
    const reference = (await busyboxReference()).replace(/base\/busybox:.*/, "made/by-hand:1")
    const name = await builder("from", "--name", "pushed", "busybox")
    await builder("run", name, "touch", "/pushed")
    const id = await builder("commit", "--rm", name, `docker://${reference}`)
    expect((await skiff.run(["image", "inspect", id])).code).toBe(1)
    await skiff.ok("pull", "-q", reference)
    expect(await skiff.ok("run", "--rm", reference, "ls", "/pushed")).toBe("/pushed")
    await skiff.ok("rmi", reference)
  })

  test("places that are not reached are refused with what to do, before the work", async () => {
    const name = await builder("from", "--name", "refused", "busybox")
    for (const [words, hint] of [
      [[name, "docker-daemon:x"], "docker load"],
      [["--sign-by", "me", name, "x"], "push --sign-by"],
      [["--manifest", "list", name], "--platform"],
      [["--encryption-key", "k", name], "not encrypted"],
    ] as const) {
      const { code, stderr } = await skiff.run(["builder", "commit", ...words])
      expect(code).not.toBe(0)
      expect(stderr).toContain(hint)
    }
    await builder("rm", name)
  })
})

test("history, variables and annotations of what is committed", async () => {
  const name = await builder("from", "--name", "told", "busybox")
  await builder("run", "--add-history", name, "touch", "/x")
  await builder("config", "--add-history", "--env", "A=1", "--env", "GONE=1", "--history-comment", "why", name)
  await builder("config", "--os-version", "7", "--created-by", "me", "--annotation", "k=v", name)
  await builder("commit", "--unsetenv", "GONE", "-q", name, "told:1")
  const { OCIv1, ImageAnnotations } = JSON.parse(await builder("inspect", "--type", "image", "told:1")) as {
    OCIv1: { "os.version": string; config: { Env: string[] }; history: { created_by?: string; comment?: string }[] }
    ImageAnnotations: Record<string, string>
  }
  expect(OCIv1["os.version"]).toBe("7")
  expect(OCIv1.config.Env).toContain("A=1")
  expect(OCIv1.config.Env).not.toContain("GONE=1")
  const [ran, set, layer] = OCIv1.history.slice(-3)
  expect(ran?.created_by).toBe("/bin/sh -c touch /x")
  expect(set?.created_by).toBe("/bin/sh -c #(nop) ENV A=1 GONE=1")
  expect(layer).toMatchObject({ created_by: "me", comment: expect.stringMatching(/^why FROM .*busybox/) as string })
  expect(ImageAnnotations).toMatchObject({
    k: "v",
    "org.opencontainers.image.base.name": expect.stringContaining("busybox") as string,
  })
  await builder("commit", "--omit-history", "-q", name, "told:2")
  expect(await builder("inspect", "-t", "image", "--format", "{{len .History}}", "told:2")).toBe("0")
  await builder("rm", name)
})

test("containers are found by filters, and shown as buildah shows them", async () => {
  const name = await builder("from", "--name", "shown", "busybox")
  const id = await builder("containers", "-q", "-f", "name=shown")
  expect(JSON.parse(await builder("containers", "--json", "--filter", `id=${id.slice(0, 6)}`))).toEqual([
    { id, builder: true, imageid: expect.any(String) as string, imagename: "busybox", containername: name },
  ])
  expect(await builder("containers", "-n", "-f", "ancestor=absent")).toBe("")
  expect(await builder("containers", "--noheading", "--notruncate", "-f", "ancestor=busybox")).toContain(`${id} `)
  expect(await builder("containers", "--format", "{{.ContainerName}}", "-f", "name=shown")).toBe(name)
  expect(await builder("images", "-n")).not.toContain("REPOSITORY")
  const [shown] = JSON.parse(await builder("images", "--json", "-f", "reference=busybox")) as [
    { id: string; names: string[] },
  ]
  expect(shown.id).toMatch(/^[0-9a-f]{12}$/)
  expect(shown.names).toContain("docker.io/library/busybox:latest")
  expect(await builder("images", "--format", "{{.Name}}:{{.Tag}} {{.ReadOnly}}", "-f", `id=${shown.id}`)).toContain(
    "docker.io/library/busybox:latest false",
  )
  await builder("rm", name)
})

test("copy takes patterns, stays inside a context, and refuses an owner that is not there", async () => {
  const context = makeContext(skiff, { "d/a.txt": "1", "d/b.txt": "2", "d/c.md": "3", out: { link: "/etc/passwd" } })
  const name = await builder("from", "--name", "copies", "busybox")
  const copy = (...words: string[]) => skiff.run(["builder", "copy", ...words])
  expect((await copy("-q", name, `${context}/d/*.txt`, "/g/")).stdout).toBe("")
  const digest = (await copy("--contextdir", context, name, "/d", "/c")).stdout
  expect(digest).toMatch(/^[0-9a-f]{64}\n$/)
  expect((await copy("--contextdir", context, name, "d", "/again")).stdout).toBe(digest)
  writeFileSync(join(skiff.directory, "ignore"), "**/*.md\n")
  const ignoring = ["--contextdir", context, "--ignorefile", join(skiff.directory, "ignore")]
  expect((await copy(...ignoring, name, "/d", "/i")).code).toBe(0)
  expect(await builder("run", name, "sh", "-c", "cd /; ls g c i again | tr '\\n' ' '")).toBe(
    "again: a.txt b.txt c.md  c: a.txt b.txt c.md  g: a.txt b.txt  i: a.txt b.txt",
  )
  for (const words of [
    [name, `${context}/d/*.absent`, "/x"],
    ["--contextdir", join(context, "d"), name, "../out", "/x"],
    ["--chown", "nobody-here", name, `${context}/d`, "/x"],
  ]) {
    const { code, stderr } = await copy(...words)
    expect({ words, code, stderr }).toEqual({
      words,
      code: 1,
      stderr: expect.stringMatching(/no (such|user)/) as string,
    })
  }
  // a link that leads out of the context is looked up inside it
  await copy("--contextdir", context, name, "/out", "/leaked")
  expect(await builder("run", name, "sh", "-c", "cat /leaked 2>/dev/null || echo nothing")).not.toContain(
    "root:x:0:0:root:/root:/bin/bash",
  )
  await builder("rm", name)
})
