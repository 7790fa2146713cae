/** Push, save, load, import, export and commit: the same id out and in again, with docker, podman and skopeo. */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { buildImage, BUSYBOX, busyboxEntries, writeLayout } from "../support/image.ts"
import { noDocker, noPodman, startDocker, startPodman, type OtherEngine } from "../support/other-engines.ts"
import { ACCOUNT, Registry, sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { busyboxReference, noLimits, openStore, testUnless } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const others = [noPodman === false ? startPodman() : undefined, noDocker === false ? await startDocker() : undefined]
const engines = others.filter((engine) => engine !== undefined)
afterAll(() => Promise.all(engines.map((engine) => engine.stop())), 60_000)
const noEngine = (name: OtherEngine["name"]) => {
  if (engines.some((engine) => engine.name === name)) return false
  return (name === "podman" ? noPodman : noDocker) || `${name} does not run here`
}

const FORMATS = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] as const
const skopeo = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync("skopeo", args)
  if (status !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr}`)
  return stdout.toString()
}
const raw = (name: string) => skopeo("inspect", "--tls-verify=false", "--raw", `docker://${name}`)
const digestOf = (text: string) => `sha256:${new Bun.CryptoHasher("sha256").update(text).digest("hex")}`
const idOf = async (name: string, from = skiff) => await from.ok("image", "inspect", "-f", "{{.Id}}", name)
const place = (name: string) => join(skiff.directory, "home", name)

/** A directory that skiff's user and the other engines can read and write. */
function sharedPlace(name: string): string {
  chmodSync(skiff.home, 0o777)
  return place(name)
}

const quote = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ")
const loadWords = (from: Skiff) => quote(from.command(["--root", from.root, "--runroot", from.runRoot, "load"]))

const blob = (digest: string) => `blobs/sha256/${digest.replace("sha256:", "")}`

let made = 0
/** An image of ours: base and a layer that adds, changes and deletes. Gives its name and id. */
async function ownImage(): Promise<{ name: string; id: string }> {
  const container = `maker-${made++}`
  const script = "echo hi > /root/new; rm /etc/group; echo user:x:7:7::/:/bin/sh >> /etc/passwd; mkdir -m 700 /var/x"
  await skiff.ok("run", "--name", container, "--network", "none", "busybox", "sh", "-c", script)
  const name = `own:${made}`
  const id = await skiff.ok("commit", "-c", 'CMD ["cat", "/root/new"]', container, name)
  await skiff.ok("rm", container)
  return { name, id }
}

/** Loads into a store that has nothing; gives the ids there. */
async function idsInNewStore(...load: string[]): Promise<{ ids: string[]; stdout: string }> {
  const fresh = new Skiff()
  try {
    const stdout = await fresh.ok(...load)
    return { ids: (await fresh.ok("images", "-q", "--no-trunc")).split("\n"), stdout }
  } finally {
    await fresh.close()
  }
}

describe("push", () => {
  test("sends what was pulled byte for byte, mounts what the registry has, and sends nothing twice", async () => {
    const base = await busyboxReference()
    const target = `${registry.host}/push/same:1`
    await skiff.ok("tag", base, target)
    const before = (await registry.requests()).length
    const first = await skiff.ok("push", target)
    expect(first).toContain(`The push refers to repository [${registry.host}/push/same]`)
    expect(first).toMatch(/^[0-9a-f]{12}: Mounted from base\/busybox$/m)
    expect(raw(target)).toBe(raw(base))
    expect(first).toMatch(new RegExp(`^1: digest: ${digestOf(raw(base))} size: ${raw(base).length}$`, "m"))
    expect(await skiff.ok("push", target)).toContain("Layer already exists")
    const sent = (await registry.requests()).slice(before)
    expect(sent.filter((line) => line.startsWith("PATCH"))).toEqual([])
  })

  test("-q prints the name alone; --digestfile has the digest; -a sends every tag", async () => {
    const { name } = await ownImage()
    const repository = `${registry.host}/push/tags`
    for (const tag of ["a", "b"]) await skiff.ok("tag", name, `${repository}:${tag}`)
    expect(await skiff.run(["push", "-q", `${repository}:a`])).toMatchObject({ code: 0, stdout: `${repository}:a\n` })
    const file = place("digest")
    const all = await skiff.ok("push", "-a", "--digestfile", file, repository)
    expect(all.match(/^[ab]: digest: /gm)).toHaveLength(2)
    expect(all).toContain(readFileSync(file, "utf8"))
    expect(skopeo("list-tags", "--tls-verify=false", `docker://${repository}`)).toMatch(/"[ab]",\s+"[ab]"/)
  })

  test("with another compression keeps the id", async () => {
    const { name, id } = await ownImage()
    const target = `${registry.host}/push/zstd:1`
    await skiff.ok("push", "--compression-format", "zstd", name, target)
    expect(raw(target)).toContain("tar+zstd")
    expect((await idsInNewStore("pull", target)).ids).toEqual([id])
  })

  test("of an image that is not here, by an id, or to a digest says what to do", async () => {
    const { id } = await ownImage()
    for (const [args, words] of [
      [["push", "nothing/here"], /no such image/],
      [["push", id], /skiff tag/],
      [["push", id, `${registry.host}/x@sha256:${"0".repeat(64)}`], /digest/],
      [["push", "-a", `${registry.host}/none`], /does not exist locally/],
      [["push", id, "127.0.0.1:1/x"], /connection refused/],
    ] as const) {
      const { code, stderr } = await skiff.run(args)
      expect({ args, code }).toEqual({ args, code: 1 })
      expect(stderr).toMatch(words)
    }
  })
})

describe("login", () => {
  test("is asked for, checked, kept for docker and podman as well, and taken back", async () => {
    const closed = await Registry.start({ private: true })
    try {
      const target = `${closed.host}/a/b:1`
      await skiff.ok("tag", "busybox", target)
      const refused = await skiff.run(["push", target])
      expect(refused.stderr).toMatch(new RegExp(`answered 401[^]*skiff login ${closed.host}`))
      const login = (password: string) =>
        skiff.run(["login", "-u", ACCOUNT.user, "--password-stdin", closed.host], { stdin: `${password}\n` })
      expect(await login("wrong")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/wrong user name or password/),
      })
      expect(() => statSync(place(".docker/config.json"))).toThrow()
      expect(await login(ACCOUNT.password)).toMatchObject({ code: 0, stdout: "Login Succeeded\n" })
      const file = place(".docker/config.json")
      expect(statSync(file).mode & 0o777).toBe(0o600)
      skopeo("login", "--get-login", "--authfile", file, closed.host)
      expect(await skiff.ok("login", "--get-login", closed.host)).toBe(ACCOUNT.user)
      await skiff.ok("push", target)
      expect(await skiff.ok("logout", "--all")).toBe(`Removing login credentials for ${closed.host}`)
      expect((await skiff.run(["login", "--get-login", closed.host])).code).toBe(1)
      expect(await skiff.ok("logout", closed.host)).toBe(`Not logged in to ${closed.host}`)
      expect(readFileSync(file, "utf8")).not.toContain(closed.host)
      expect((await skiff.run(["push", target])).code).toBe(1)
      // --creds go along with one push, and are kept nowhere
      await skiff.ok("push", "--creds", `${ACCOUNT.user}:${ACCOUNT.password}`, target)
      expect(readFileSync(file, "utf8")).not.toContain(closed.host)
    } finally {
      closed.stop()
    }
  })

  test("gives the password to the helper that the file names, and writes it nowhere else", async () => {
    const closed = await Registry.start({ private: true })
    try {
      const bin = sharedPlace("bin")
      mkdirSync(bin, { recursive: true })
      const kept = sharedPlace("kept")
      const helper = `case $1 in store) cat >${kept};; get) cat >/dev/null; cat ${kept};; erase) rm ${kept};; esac`
      writeFileSync(join(bin, "docker-credential-test"), `#!/bin/sh\n${helper}\n`, { mode: 0o755 })
      const authfile = sharedPlace("auth.json")
      writeFileSync(authfile, '{"credsStore":"test","other":{"kept":1}}', { mode: 0o666 })
      chmodSync(authfile, 0o666)
      const env = { PATH: `${bin}:${user.env.PATH}` }
      const flags = ["--authfile", authfile]
      const words = ["login", ...flags, "-u", ACCOUNT.user, "--password-stdin", closed.host]
      expect(await skiff.run(words, { env, stdin: ACCOUNT.password })).toMatchObject({ code: 0 })
      const written = readFileSync(authfile, "utf8")
      expect(JSON.parse(written)).toEqual({ credsStore: "test", other: { kept: 1 }, auths: { [closed.host]: {} } })
      expect(JSON.parse(readFileSync(kept, "utf8"))).toMatchObject({ ServerURL: closed.host, Secret: ACCOUNT.password })
      expect(await skiff.run(["push", ...flags, "busybox", `${closed.host}/x:1`], { env })).toMatchObject({ code: 0 })
      expect(await skiff.run(["logout", ...flags, closed.host], { env })).toMatchObject({ code: 0 })
      expect(() => statSync(kept)).toThrow()
    } finally {
      closed.stop()
    }
  })
})

describe("save and load", () => {
  for (const format of FORMATS)
    test(`${format}: skopeo reads it, and a new store has the same id`, async () => {
      const { name, id } = await ownImage()
      const path = place(`own-${format}-${made}`)
      await skiff.ok("save", "--format", format, "-o", path, name)
      const transport = {
        "docker-archive": "docker-archive",
        "oci-archive": "oci-archive",
        "oci-dir": "oci",
        "docker-dir": "dir",
      }
      expect(digestOf(skopeo("inspect", "--raw", "--config", `${transport[format]}:${path}`))).toBe(id)
      const { ids, stdout } = await idsInNewStore("load", "-i", path)
      expect(ids).toEqual([id])
      expect(stdout).toBe(format === "docker-dir" ? `Loaded image ID: ${id}` : `Loaded image: ${name}`)
    })

  test("several images and names go into one archive, by standard output and input, compressed or not", async () => {
    const { name, id } = await ownImage()
    await skiff.ok("tag", name, "other/name:2")
    const names = [name, "other/name:2", "busybox"]
    const ids = [await idOf("busybox"), id].toSorted()
    for (const format of ["docker-archive", "oci-archive"])
      for (const program of ["cat", "gzip", "xz", "bzip2", "zstd"]) {
        if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) continue
        const fresh = new Skiff()
        try {
          const save = quote(skiff.command(["--root", skiff.root, "save", "--format", format, ...names]))
          const { status, stdout, stderr } = spawnSync("sh", ["-c", `${save} | ${program} | ${loadWords(fresh)}`], {
            env: skiff.env,
            cwd: "/",
          })
          expect({ program, status, stderr: stderr.toString() }).toEqual({ program, status: 0, stderr: "" })
          expect(stdout.toString().split("\n").filter(Boolean)).toHaveLength(3)
          expect((await fresh.ok("images", "-q", "--no-trunc")).split("\n").toSorted()).toEqual(ids)
        } finally {
          await fresh.close()
        }
      }
  }, 120_000)

  for (const names of ["in its layout", "in its manifest.json alone"])
    test(`an archive of docker since 25, which is both forms, with names ${names}`, async () => {
      const image = buildImage({
        ...BUSYBOX,
        layers: [{ entries: [...busyboxEntries(), { name: names }], compression: "none" }],
      })
      const directory = sharedPlace(`docker-25-${made++}`)
      writeLayout(directory, [image])
      const entry = {
        Config: blob(image.config.digest),
        RepoTags: ["new/docker:1"],
        Layers: image.layers.map((each) => blob(each.digest)),
      }
      writeFileSync(join(directory, "manifest.json"), JSON.stringify([entry]))
      if (names === "in its layout") {
        const annotations = {
          "io.containerd.image.name": "docker.io/new/docker:1",
          "org.opencontainers.image.ref.name": "1",
        }
        const index = { schemaVersion: 2, manifests: [{ ...image.manifest, annotations }] }
        writeFileSync(join(directory, "index.json"), JSON.stringify(index))
      }
      expect(spawnSync("tar", ["-cf", `${directory}.tar`, "-C", directory, "."]).status).toBe(0)
      expect(await skiff.ok("load", "-i", `${directory}.tar`)).toBe("Loaded image: new/docker:1")
      expect(await idOf("new/docker:1")).toBe(image.config.digest)
      expect(await skiff.ok("run", "--rm", "--network", "none", "new/docker:1", "echo", "ok")).toBe("ok")
      // plain layers are compressed on their way, the id stays
      const target = `${registry.host}/docker-25/x:${made}`
      await skiff.ok("push", "new/docker:1", target)
      expect(raw(target)).toMatch(/tar[.+]gzip/)
      expect(raw(target)).toContain(image.config.digest)
    })

  test("the same images give the same bytes", async () => {
    for (const format of ["docker-archive", "oci-archive"]) {
      const paths = [place(`same-${format}-1`), place(`same-${format}-2`)]
      for (const path of paths) await skiff.ok("save", "--format", format, "-o", path, "busybox")
      const [one, two] = paths.map((path) => digestOf(readFileSync(path, "latin1")))
      expect(one).toBe(two ?? "")
    }
  })

  test("what is not here leaves no file behind; a terminal gets no archive; a directory must be empty", async () => {
    const path = place("nothing.tar")
    expect(await skiff.run(["save", "-o", path, "busybox", "nothing/here"])).toMatchObject({ code: 1 })
    expect(() => statSync(path)).toThrow()
    const terminal = openTerminal(skiff, ["save", "busybox"])
    await terminal.sees(/cowardly refusing to save to a terminal/)
    expect(await terminal.exited).toBe(1)
    expect(await skiff.run(["save", "--format", "oci-dir", "-o", "/usr", "busybox"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/not empty/),
    })
  })

  test("a named pipe and a redirected file are read like any other", async () => {
    const { name, id } = await ownImage()
    const path = sharedPlace(`piped-${made}.tar`)
    await skiff.ok("save", "-o", path, name)
    chmodSync(path, 0o644)
    for (const how of ["FIFO", "redirected"]) {
      const fresh = new Skiff()
      try {
        const fifo = `mkfifo -m 666 "${path}.$$" && { gzip -c "${path}" > "${path}.$$" & ${loadWords(fresh)} -i "${path}.$$"; }`
        const script = how === "FIFO" ? fifo : `${loadWords(fresh)} < "${path}"`
        const { status, stderr } = spawnSync("sh", ["-c", script], { env: skiff.env, cwd: "/" })
        expect({ how, status, stderr: stderr.toString() }).toEqual({ how, status: 0, stderr: "" })
        expect(await idOf(name, fresh)).toBe(id)
      } finally {
        await fresh.close()
      }
    }
  })

  test("load -q says the names alone; an image that is here keeps its manifest; a name moves with a word", async () => {
    const before = await skiff.ok("image", "inspect", "-f", "{{.Descriptor.digest}}", "busybox")
    const path = place("again.tar")
    await skiff.ok("save", "-o", path, "busybox")
    expect(await skiff.ok("load", "-q", "-i", path)).toBe("Loaded image: busybox:latest")
    expect(await skiff.ok("image", "inspect", "-f", "{{.Descriptor.digest}}", "busybox")).toBe(before)
    const { name } = await ownImage()
    await skiff.ok("tag", name, "moved:1")
    await skiff.ok("save", "-o", path, "moved:1")
    await skiff.ok("tag", "busybox", "moved:1")
    const { stderr } = await skiff.run(["load", "-i", path])
    expect(stderr).toMatch(/moved:1 already exists, renaming the old one/)
    expect(await idOf("moved:1")).toBe(await idOf(name))
  })
})

for (const name of ["podman", "docker"] as const)
  describe(`with ${name}`, () => {
    const it = testUnless(noEngine(name))
    const engine = () => {
      const found = engines.find((each) => each.name === name)
      if (found === undefined) throw new Error("skipped above")
      return found
    }
    const idThere = (image: string) =>
      `sha256:${engine().ok("image", "inspect", "-f", "{{.Id}}", image).replace("sha256:", "")}`
    const run = (image: string) => engine().ok("run", ...engine().runFlags, image)

    it("what we push and save, it pulls, loads and runs with the same id", async () => {
      const { name: own, id } = await ownImage()
      const target = `${registry.host}/to-${name}/own:1`
      await skiff.ok("push", own, target)
      engine().ok("pull", ...engine().pullFlags, target)
      expect(idThere(target)).toBe(id)
      expect(run(target)).toBe("hi")
      for (const format of FORMATS) {
        // docker's load of this age knows its own archives only
        if (name === "docker" && format !== "docker-archive") continue
        engine().ok("rmi", "-f", id)
        const path = sharedPlace(`for-${name}-${format}`)
        await skiff.ok("save", "--format", format, "-o", path, own)
        // podman names what it loads from a directory by the path, which is no name when it has upper case
        const link = `/tmp/skiff-${name}-${process.pid}`
        symlinkSync(path, link)
        engine().ok("load", "-i", link)
        rmSync(link)
        expect({ format, id: idThere(id) }).toEqual({ format, id })
        expect(run(id)).toBe("hi")
      }
    })

    it("what it makes, pushes and saves, we pull, load and run with the same id", async () => {
      const base = await busyboxReference()
      engine().ok("pull", ...engine().pullFlags, base)
      const container = engine().ok("create", "--network", "none", base, "sh")
      const theirs = `${registry.host}/by-${name}/x:1`
      engine().ok("commit", "-c", "CMD echo made", "-c", `ENV BY=${name}`, container, theirs)
      engine().ok("rm", container)
      engine().ok("push", ...engine().pullFlags, theirs)
      const id = idThere(theirs)
      await skiff.ok("pull", theirs)
      expect(await idOf(theirs)).toBe(id)
      expect(await skiff.ok("run", "--rm", "--network", "none", theirs)).toBe("made")
      for (const format of FORMATS) {
        if (name === "docker" && format !== "docker-archive") continue
        const path = sharedPlace(`from-${name}-${format}`)
        engine().ok("save", ...(name === "podman" ? ["--format", format] : []), "-o", path, theirs)
        spawnSync("chmod", ["-R", "a+rX", path])
        expect((await idsInNewStore("load", "-i", path)).ids).toEqual([id])
      }
    })
  })

describe("export and import", () => {
  test("a file system goes out whole and comes in as an image of one layer, from a file, a pipe and an address", async () => {
    await skiff.ok(
      "run",
      "--name",
      "out",
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      "echo x > /f; ln /f /g; rm /etc/group",
    )
    const path = sharedPlace("rootfs.tar")
    await skiff.ok("export", "-o", path, "out")
    await skiff.ok("rm", "out")
    chmodSync(path, 0o644)
    const listed = spawnSync("tar", ["-tvf", path]).stdout.toString()
    expect(listed).toMatch(/ g link to f$/m)
    expect(listed).not.toContain("etc/group")
    const change = ["-c", 'ENTRYPOINT ["cat"]', "-c", "CMD /f", "-c", "LABEL a=b", "-m", "by hand"]
    const id = await skiff.ok("import", ...change, path, "flat:1")
    expect(await idOf("flat:1")).toBe(id)
    expect(
      await skiff.ok("image", "inspect", "-f", '{{.Comment}} {{index .Config.Labels "a"}} {{len .RootFS.Layers}}', id),
    ).toBe("by hand b 1")
    expect(await skiff.ok("run", "--rm", "--network", "none", "--entrypoint", "cat", "flat:1", "/g")).toBe("x")

    const archive = readFileSync(path)
    const server = createServer((request, response) =>
      request.url === "/rootfs.tar" ? response.end(archive) : response.writeHead(404).end(),
    )
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      await skiff.ok("import", `${address.replace("//", "//user:secret@")}/rootfs.tar`, "url:1")
      expect(await skiff.ok("image", "inspect", "-f", "{{.Comment}}", "url:1")).toBe(
        `Imported from ${address}/rootfs.tar`,
      )
      expect(await skiff.run(["import", `${address}/none`])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/404/),
      })
    } finally {
      server.close()
    }
    expect(await skiff.run(["import", "/nonexistent"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no such file/),
    })
    expect(await skiff.run(["import", "/bin/sh"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/tar/) })
  })

  test("a terminal gets no archive, and a running container is exported as it runs", async () => {
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "live",
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      "echo 1 > /made; sleep 1000",
    )
    const terminal = openTerminal(skiff, ["export", "live"])
    await terminal.sees(/cowardly refusing to export to a terminal/)
    const path = sharedPlace("live.tar")
    await skiff.ok("export", "-o", path, "live")
    expect(spawnSync("tar", ["-xOf", path, "made"]).stdout.toString()).toBe("1\n")
    expect((await skiff.inspect("live")).State.Status).toBe("running")
    await skiff.ok("rm", "-f", "live")
  })
})

describe("commit", () => {
  test("keeps what the container changed and how it ran, with --change on top, and lets it run on", async () => {
    const flags = ["-d", "--name", "worked", "--network", "none", "-e", "A=1", "-w", "/var", "-u", "0", "-l", "x=y"]
    await skiff.ok("run", ...flags, "busybox", "sh", "-c", "echo hi > /root/f; rm /etc/group; sleep 1000")
    const changes = [
      'CMD ["cat", "/root/f"]',
      "ENTRYPOINT []",
      "ENV B=$A-2",
      "EXPOSE 80 53/udp",
      "HEALTHCHECK --interval=5s CMD true",
      "LABEL a=b",
      "ONBUILD RUN later",
      "STOPSIGNAL SIGINT",
      "USER 1000",
      "VOLUME /data",
      "WORKDIR sub",
    ].flatMap((change) => ["-c", change])
    const id = await skiff.ok("commit", "-a", "me", "-m", "words", ...changes, "worked", "done:1")
    expect((await skiff.inspect("worked")).State.Status).toBe("running")
    const [image] = JSON.parse(await skiff.ok("image", "inspect", "done:1")) as [Record<string, unknown>]
    expect(image).toMatchObject({
      Id: id,
      Author: "me",
      Comment: "words",
      Config: {
        Cmd: ["cat", "/root/f"],
        Env: expect.arrayContaining(["A=1", "B=1-2"]),
        ExposedPorts: { "80/tcp": {}, "53/udp": {} },
        Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5_000_000_000 },
        Labels: { a: "b", x: "y" },
        OnBuild: ["RUN later"],
        StopSignal: "SIGINT",
        User: "1000",
        Volumes: { "/data": {} },
        WorkingDir: "/var/sub",
      },
    })
    expect(JSON.stringify(image)).not.toMatch(/HOSTNAME=|TERM=/)
    expect(await skiff.ok("run", "--rm", "--network", "none", "-u", "0", "done:1")).toBe("hi")
    const { code } = await skiff.run(["run", "--rm", "--network", "none", "done:1", "test", "-e", "/etc/group"])
    expect(code).toBe(1)
    await skiff.ok("rm", "-f", "worked")
  })

  test("of a stopped or paused container works, --squash makes one layer, the layer has no files of ours", async () => {
    await skiff.ok("run", "--name", "ended", "--network", "none", "busybox", "sh", "-c", "echo hi > /root/f")
    await skiff.ok("commit", "ended", "ended:1")
    const path = place("ended")
    await skiff.ok("save", "--format", "docker-dir", "-o", path, "ended:1")
    const { layers } = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8")) as { layers: { digest: string }[] }
    const top = layers.at(-1)?.digest.replace("sha256:", "") ?? ""
    const files = spawnSync("tar", ["-tf", join(path, top)])
      .stdout.toString()
      .split("\n")
      .filter(Boolean)
    expect(files.filter((file) => !file.endsWith("/"))).toEqual(["root/f"])
    await skiff.ok("commit", "--squash", "ended", "ended:2")
    expect(await skiff.ok("image", "inspect", "-f", "{{len .RootFS.Layers}}", "ended:2")).toBe("1")
    expect(await skiff.ok("run", "--rm", "--network", "none", "ended:2", "cat", "/root/f")).toBe("hi")
    await skiff.ok("rm", "ended")
  })

  test("--change with RUN, COPY or nonsense, an unknown container, and a bad name are refused", async () => {
    await skiff.ok("create", "--name", "new", "--network", "none", "busybox")
    for (const args of [
      ["-c", "RUN true", "new"],
      ["-c", "COPY a b", "new"],
      ["-c", "FROM busybox", "new"],
      ["-c", "NONSENSE", "new"],
      ["new", "Upper/Case"],
      ["unknown"],
    ])
      expect({ args, code: (await skiff.run(["commit", ...args])).code }).toEqual({ args, code: 1 })
    await skiff.ok("rm", "new")
  })
})

const killed = async (point: string, from: Skiff, ...args: string[]) => {
  const { code } = await from.run(args, { env: { SKIFF_CRASH_AT: point } })
  expect({ point, code }).toEqual({ point, code: 137 })
}

describe("after kill -9", () => {
  test("in a load, the next one finds the store in order", async () => {
    const { name, id } = await ownImage()
    const path = place("killed.tar")
    await skiff.ok("save", "-o", path, name)
    const fresh = new Skiff()
    try {
      for (const point of ["pull:layer-extracted", "pull:layers-joined", "pull:before-record"])
        await killed(point, fresh, "load", "-i", path)
      expect(await fresh.ok("images", "-q")).toBe("")
      await fresh.ok("load", "-i", path)
      expect(await idOf(name, fresh)).toBe(id)
      expect(await fresh.ok("run", "--rm", "--network", "none", name)).toBe("hi")
    } finally {
      await fresh.close()
    }
  })

  test("in a push, the next one goes on; in an import, nothing is left", async () => {
    const { name } = await ownImage()
    const target = `${registry.host}/killed/x:1`
    await skiff.ok("tag", name, target)
    for (const point of ["push:layers-sent", "push:manifest-put"]) await killed(point, skiff, "push", target)
    expect(await skiff.ok("push", target)).toContain("Layer already exists")
    const path = sharedPlace("killed-rootfs.tar")
    await skiff.ok("create", "--name", "killed", "--network", "none", "busybox")
    await skiff.ok("export", "-o", path, "killed")
    const before = await skiff.ok("images", "-aq")
    await killed("image:layer-stored", skiff, "import", path)
    expect(await skiff.ok("images", "-aq")).toBe(before)
    await skiff.ok("rm", "killed")
  })

  testUnless(noLimits)("in a commit, the container that was paused for it runs on with the next command", async () => {
    await skiff.ok("run", "-d", "--name", "frozen", "--network", "none", "busybox", "sleep", "1000")
    for (const point of ["pause:done", "commit:paused", "image:layer-stored", "resume:done"]) {
      await killed(point, skiff, "commit", "frozen", "frozen:1")
      await skiff.ok("ps")
      expect(await skiff.ok("exec", "frozen", "echo", "alive")).toBe("alive")
      expect((await skiff.inspect("frozen")).State.Status).toBe("running")
    }
    await skiff.ok("commit", "frozen", "frozen:1")
    // what a person pauses stays paused
    await skiff.ok("pause", "frozen")
    await skiff.ok("commit", "frozen", "frozen:2")
    expect((await skiff.inspect("frozen")).State.Status).toBe("paused")
    await skiff.ok("rm", "-f", "frozen")
  })
})
