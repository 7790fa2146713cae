/** Hostile manifests, configurations and registries: each a typed error, nothing stored, no secret sent on. One user is enough. */
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Canary } from "../support/canary.ts"
import { blobPath, HostileRegistry } from "../support/hostile-registry.ts"
import { BUSYBOX, buildImage, CONFIG_TYPE, INDEX_TYPE, json, MANIFEST_TYPE } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"

const skiff = openStore()
const canary = new Canary()
afterEach(() => canary.check())
afterAll(() => canary.remove())

const honest = buildImage({ layers: [{ entries: [{ name: "x", content: "x" }] }] })
const { config, layers } = honest
const [layer] = layers
const manifest = (changes: object) => json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers, ...changes })

describe("a manifest is refused when", () => {
  const table: Record<string, { bytes: Uint8Array; mediaType?: string }> = {
    "it is manifest and index at once": { bytes: manifest({ manifests: [honest.manifest] }) },
    "its body names another type than its header": {
      bytes: manifest({ mediaType: INDEX_TYPE }),
      mediaType: MANIFEST_TYPE,
    },
    "it is no JSON": { bytes: Buffer.from("{") },
    "it is a list": { bytes: json([]) },
    "it is empty": { bytes: Buffer.from("") },
    "it is 5 MiB": { bytes: manifest({ annotations: { x: "y".repeat(5 * 1024 * 1024) } }) },
    "a digest is a path": { bytes: manifest({ layers: [{ ...layer, digest: "sha256:../../../../etc/passwd" }] }) },
    "a digest is short": { bytes: manifest({ layers: [{ ...layer, digest: "sha256:abcd" }] }) },
    "a digest is upper case": { bytes: manifest({ layers: [{ ...layer, digest: layer?.digest.toUpperCase() }] }) },
    "a size is negative": { bytes: manifest({ layers: [{ ...layer, size: -1 }] }) },
    "a size is one too many": { bytes: manifest({ layers: [{ ...layer, size: (layer?.size ?? 0) + 1 }] }) },
    "a size is one too few": { bytes: manifest({ layers: [{ ...layer, size: (layer?.size ?? 0) - 1 }] }) },
    "its layers are no list": { bytes: manifest({ layers: { length: 1 } }) },
    "it has 600 layers": { bytes: manifest({ layers: Array.from({ length: 600 }, () => layer) }) },
    "it has more layers than diff ids": { bytes: manifest({ layers: [layer, layer] }) },
    "its configuration is absent": { bytes: manifest({ config: { ...config, digest: `sha256:${"0".repeat(64)}` } }) },
  }
  for (const [name, answer] of Object.entries(table))
    test(name, async () => {
      await using registry = await HostileRegistry.start()
      const image = registry.image(honest, answer)
      const { code, stderr } = await skiff.run(["pull", image])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^skiff: /m)
      expect(stderr).not.toMatch(/^\s+at /m)
      expect((await skiff.run(["inspect", image])).code).toBe(1)
    })

  test("its bytes are not those of the digest asked for", async () => {
    await using registry = await HostileRegistry.start()
    registry.image(honest, { bytes: manifest({ annotations: { other: "bytes" } }) })
    const { code, stderr } = await skiff.run(["pull", `${registry.host}/hostile/image@${honest.manifest.digest}`])
    expect(code).toBe(1)
    expect(stderr).toContain("digest")
  })
})

describe("a registry", () => {
  const auth = Buffer.from("tester:open sesame").toString("base64")
  function login(host: string): void {
    mkdirSync(join(skiff.home, ".docker"), { recursive: true })
    writeFileSync(join(skiff.home, ".docker/config.json"), JSON.stringify({ auths: { [host]: { auth } } }), {
      mode: 0o644,
    })
  }

  for (const status of [301, 302, 307, 308])
    test(`that redirects a blob (${status}) elsewhere: it is fetched there, without credentials`, async () => {
      await using registry = await HostileRegistry.start()
      await using elsewhere = await HostileRegistry.start()
      login(registry.host)
      const image = buildImage({ layers: [{ entries: [{ name: `redirected-${status}`, content: "x" }] }] })
      const name = registry.image(image)
      for (const [digest, bytes] of image.blobs) {
        elsewhere.bytes(`/cdn/${digest}`, bytes)
        registry.answer(`/v2/hostile/image/blobs/${digest}`, (_, response) => {
          response.writeHead(status, { location: `http://${elsewhere.host}/cdn/${digest}` })
          response.end()
        })
      }
      registry.answer("/v2/", (request, response) => {
        response.writeHead(request.headers.authorization ? 200 : 401, { "www-authenticate": 'Basic realm="x"' })
        response.end()
      })
      await skiff.ok("pull", "-q", name)
      expect(elsewhere.asked.length).toBeGreaterThan(0)
      for (const { headers } of elsewhere.asked) {
        expect(headers.authorization).toBeUndefined()
        expect(headers.cookie).toBeUndefined()
      }
    })

  test("whose layer names a foreign url gets no credentials sent there", async () => {
    await using registry = await HostileRegistry.start()
    await using foreign = await HostileRegistry.start()
    login(registry.host)
    const urls = [`http://${foreign.host}/layer`]
    foreign.answer("/layer", (_, response) => {
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${foreign.host}/token",service="x"` })
      response.end()
    })
    const name = registry.image(honest, { bytes: manifest({ layers: [{ ...layer, urls }] }) })
    registry.answer(blobPath(layer ?? config), (_, response) => response.writeHead(404).end())
    expect((await skiff.run(["pull", name])).code).toBe(1)
    for (const { headers } of foreign.asked) expect(headers.authorization).toBeUndefined()
  })

  for (const realm of ["http://169.254.169.254/token", "file:///etc/passwd", "gopher://127.0.0.1/x"])
    test(`whose token realm is ${realm} is refused`, async () => {
      await using registry = await HostileRegistry.start()
      login(registry.host)
      registry.answer("/v2/hostile/image/manifests/1", (_, response) => {
        response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="x"` })
        response.end()
      })
      const { code, stderr } = await skiff.run(["pull", `${registry.host}/hostile/image:1`], { timeoutMs: 20_000 })
      expect(code).toBe(1)
      expect(stderr).toMatch(/realm|token/i)
      expect(stderr).not.toContain("open sesame")
    })

  test("that redirects without end is left", async () => {
    await using registry = await HostileRegistry.start()
    registry.answer("/v2/hostile/image/manifests/1", (_, response) => {
      response.writeHead(307, { location: "/v2/hostile/image/manifests/1" })
      response.end()
    })
    expect((await skiff.run(["pull", `${registry.host}/hostile/image:1`], { timeoutMs: 30_000 })).code).toBe(1)
    expect(registry.asked.length).toBeLessThan(100)
  })

  test("whose error body has no end is left", async () => {
    await using registry = await HostileRegistry.start()
    registry.answer("/v2/hostile/image/manifests/1", (_, response) => {
      response.writeHead(500, { "content-type": "application/json" })
      const chunk = "x".repeat(64 * 1024)
      const more = () => {
        while (!response.destroyed && response.write(chunk));
        response.once("drain", more)
      }
      more()
    })
    expect((await skiff.run(["pull", `${registry.host}/hostile/image:1`], { timeoutMs: 30_000 })).code).toBe(1)
  })

  test("that answers with terminal escapes has them made visible", async () => {
    await using registry = await HostileRegistry.start()
    registry.answer("/v2/hostile/image/manifests/1", (_, response) => {
      response.writeHead(403, { "content-type": "application/json" })
      response.end(JSON.stringify({ errors: [{ code: "DENIED", message: "\u001b]0;title\u0007 no" }] }))
    })
    const { stdout, stderr } = await skiff.run(["pull", `${registry.host}/hostile/image:1`])
    expect(`${stdout}${stderr}`).not.toContain("\u001b")
  })
})

describe("an image's configuration", () => {
  let made = 0
  const run = async (
    imageConfig: object,
    script: string,
    entries: TarEntry[] = [],
    env: Record<string, string> = {},
  ) => {
    const image = (await sharedRegistry()).push(`hostile/config-${made++}:1`, {
      layers: [...BUSYBOX.layers, ...(entries.length > 0 ? [{ entries }] : [])],
      config: { ...BUSYBOX.config, ...imageConfig },
    })
    return skiff.run(["run", "--rm", image, "sh", "-c", script], { env, timeoutMs: 30_000 })
  }

  test("with a user beyond 32 bits is refused, whatever passwd says", async () => {
    for (const User of ["4294967296", "-1", "2147483648:0"]) {
      const passwd = `root:x:0:0::/:/bin/sh\n${User.split(":")[0]}:x:0:0::/:/bin/sh\n`
      const { code, stdout } = await run({ User }, "id -u", [{ name: "etc/passwd", content: passwd }])
      expect({ User, stdout }).toEqual({ User, stdout: "" })
      expect(code).toBe(125)
    }
  })

  test("with a numeric user means that number, not a name", async () => {
    const passwd = "root:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n"
    expect((await run({ User: "1000" }, "id -u", [{ name: "etc/passwd", content: passwd }])).stdout).toBe("1000\n")
  })

  test("with a newline in HOME adds no line to passwd", async () => {
    const { stdout } = await run({ Env: ["PATH=/bin", "HOME=/x\nr::0:0::/:/bin/sh"] }, "cat /etc/passwd")
    expect(stdout).not.toMatch(/^r::/m)
  })

  test("with environment lines that are none takes nothing from the host", async () => {
    const { stdout } = await run({ Env: ["HOSTSECRET", "=x", "A", "PATH=/bin"] }, "env", [], { HOSTSECRET: "leaked" })
    expect(stdout).not.toContain("leaked")
  })

  test("with labels of the engine's own kind changes nothing", async () => {
    const Labels = {
      "skiff.privileged": "true",
      "io.skiff.network": "host",
      "io.podman.annotations.seccomp": "unconfined",
    }
    expect((await run({ Labels }, "grep Seccomp: /proc/self/status")).stdout).toBe("Seccomp:\t2\n")
  })

  test("with volumes at hostile paths reaches no file of the host", async () => {
    const Volumes = { "/../../../../../../../../../../../../etc": {}, "/link/x": {} }
    await run({ Volumes }, "ls /etc; touch /link/x/dead 2>/dev/null", [
      { name: "link", type: "symlink", linkName: canary.directory },
    ])
    canary.check()
    expect((await run({ Volumes: { "/proc/sys": {} } }, "true")).code).toBe(125)
  })

  test("with a working directory through a link makes it inside", async () => {
    const entries: TarEntry[] = [{ name: "l", type: "symlink", linkName: canary.directory }]
    await run({ WorkingDir: "/l/made" }, "pwd", entries)
    canary.check()
    expect(readdirSync(canary.directory)).toEqual(["canary"])
  })

  test("with passwd and group as links to the host, to a FIFO, to /proc is read inside its root", async () => {
    for (const target of [canary.path, "/proc/self/environ", "/dev/zero"]) {
      const entries: TarEntry[] = ["etc/passwd", "etc/group"].map((name) => ({
        name,
        type: "symlink",
        linkName: target,
      }))
      const { stdout } = await run({}, "echo 0", entries) // nothing that reads them itself
      expect(["0\n", ""]).toContain(stdout)
    }
    const fifo: TarEntry[] = [
      { name: "etc/passwd", type: "fifo" },
      { name: "etc/group", type: "fifo" },
    ]
    await run({ User: "someone" }, "true", fifo) // which has an end
  })

  for (const path of ["proc", "sys", "dev", "dev/null", "dev/pts", "etc", "etc/hosts", "etc/resolv.conf"])
    test(`with /${path} as a link out: the host stays as it is`, async () => {
      const entries: TarEntry[] = [
        { name: path, type: "symlink", linkName: path.includes("/") ? canary.path : canary.directory },
      ]
      await run({}, "echo dead > /etc/hosts; echo dead > /dev/null; true", entries)
      canary.check()
    })

  test("of another type than said is refused", async () => {
    await using registry = await HostileRegistry.start()
    const bytes = manifest({ config: { ...config, mediaType: CONFIG_TYPE.replace("image", "nonsense") } })
    const { code } = await skiff.run(["pull", registry.image(honest, { bytes })])
    expect(code).toBe(1)
  })
})
