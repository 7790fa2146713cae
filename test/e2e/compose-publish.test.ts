/** `compose publish` to a real registry: what goes out, what is asked and refused, and that it loads again. One user is enough. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { buildImage } from "../support/image.ts"
import { Registry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let registry: Registry
let count = 0

beforeAll(async () => {
  registry = await Registry.start()
})
afterAll(() => registry.stop())

/** A directory of its own with these files. */
function project(files: Record<string, string>): string {
  const root = join(skiff.directory, `published-${count++}`)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true, mode: 0o755 })
    writeFileSync(join(root, name), text)
  }
  return root
}

const publish = (cwd: string, name: string, words: string[], stdin = "") =>
  skiff.run(["compose", "publish", `${registry.host}/${name}`, ...words], { cwd, stdin })

interface Manifest {
  artifactType?: string
  config: { mediaType: string }
  layers: { mediaType: string; digest: string; annotations: Record<string, string> }[]
}

async function manifest(repository: string, tag: string): Promise<Manifest> {
  const accept = { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } }
  return (await (await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, accept)).json()) as Manifest
}

async function load(name: string): Promise<Record<string, Record<string, unknown>>> {
  const text = await skiff.ok("compose", "-f", `oci://${registry.host}/${name}`, "config", "--format", "json")
  return (JSON.parse(text) as { services: Record<string, Record<string, unknown>> }).services
}

const APP = {
  "compose.yaml": `# kept
services:
  web:
    image: busybox
    env_file: web.env # also kept
  api:
    extends:
      file: "sub/base.yaml"
      service: base
    env_file:
      - ./web.env
      - path: missing.env
        required: false
`,
  "compose.override.yaml":
    "# a mark of its own\n---\nservices: {web: {command: sleep 1}, late: {image: alpine, profiles: [x]}}\n",
  "sub/base.yaml": "services: {base: {image: alpine, env_file: [base.env]}}\n",
  "sub/base.env": "BASE=1\n",
  "web.env": "B=2\n",
}

test("overrides, extended files and env files go out as layers, and load again", async () => {
  const { code, stderr } = await publish(project(APP), "t/app:1", ["--with-env", "--yes"])
  expect(stderr).toContain(`${registry.host}/t/app:1 published`)
  expect(code).toBe(0)
  const { artifactType, config, layers } = await manifest("t/app", "1")
  expect([artifactType, config.mediaType]).toEqual([
    "application/vnd.docker.compose.project",
    "application/vnd.oci.empty.v1+json",
  ])
  const names = layers.map(({ annotations }) => Object.keys(annotations).toSorted().join(" "))
  expect(names).toEqual([
    "com.docker.compose.file com.docker.compose.version",
    "com.docker.compose.file com.docker.compose.version",
    "com.docker.compose.extends com.docker.compose.file com.docker.compose.version",
    "com.docker.compose.envfile com.docker.compose.version",
    "com.docker.compose.envfile com.docker.compose.version",
  ])
  const blob = await (await fetch(`http://${registry.host}/v2/t/app/blobs/${layers[0]?.digest}`)).text()
  expect(blob).toMatch(/^# kept\n[^]*env_file: [0-9a-f]{64}\.env # also kept\n[^]*file: [0-9a-f]{64}\.yaml\n/)
  const services = await load("t/app:1")
  expect(services.web).toMatchObject({ command: ["sleep", "1"], environment: { B: "2" } })
  expect(services.api).toMatchObject({ image: "alpine", environment: { BASE: "1", B: "2" } })
})

test("image digests go out as one more file, and the older form of artifacts is written when it is asked for", async () => {
  const image = registry.push("t/image:1", { layers: [] })
  const root = project({ "compose.yaml": `---\nservices: {web: {image: "${image}"}}\n` })
  const { code } = await publish(root, "t/old:1", ["--resolve-image-digests", "--oci-version", "1.0"])
  expect(code).toBe(0)
  const { artifactType, config, layers } = await manifest("t/old", "1")
  expect([artifactType, config.mediaType, layers[1]?.annotations["com.docker.compose.file"]]).toEqual([
    undefined,
    "application/vnd.docker.compose.config.empty.v1+json",
    "image-digests.yaml",
  ])
  expect((await load("t/old:1")).web?.image).toMatch(/\/t\/image:1@sha256:[0-9a-f]{64}$/)
})

test("an application's images are copied beside it, in an index that refers to it", async () => {
  const { reference, descriptor } = registry.pushBuilt("t/part:1", buildImage({ layers: [] }))
  const root = project({ "compose.yaml": `services: {web: {image: "${reference}"}, two: {image: "${reference}"}}\n` })
  const { code, stderr } = await publish(root, "t/whole:1", ["--app"])
  expect([code, stderr]).toEqual([0, expect.stringContaining("t/whole:1 published")])
  const head = await fetch(`http://${registry.host}/v2/t/whole/manifests/1`, {
    method: "HEAD",
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  })
  const digest = head.headers.get("docker-content-digest") ?? ""
  const accept = { headers: { accept: "application/vnd.oci.image.index.v1+json" } }
  const get = async (name: string) =>
    (await (await fetch(`http://${registry.host}/v2/t/whole/manifests/${name}`, accept)).json()) as {
      manifests: { digest: string }[]
      subject?: { digest: string }
    }
  // this registry keeps no list of referrers: it is under a tag
  const [referrer] = (await get(digest.replace(":", "-"))).manifests
  const index = await get(referrer?.digest ?? "")
  expect(index.subject?.digest).toBe(digest)
  expect(index.manifests.map((one) => one.digest)).toEqual([descriptor.digest])
  expect(await skiff.ok("pull", "-q", `${registry.host}/t/whole@${descriptor.digest}`)).not.toBe("")
  expect((await load("t/whole:1")).web?.image).toBe(`${reference}@${descriptor.digest}`)
})

test("bind mounts, secrets and variables are asked about one after another, and nothing goes out without a yes", async () => {
  const token = `ghp_${"a1".repeat(18)}`
  const root = project({
    "compose.yaml": `services: {web: {image: busybox, environment: {TOKEN: ${token}}, volumes: ["./data:/data"]}}\n`,
  })
  const refused = await publish(root, "t/asked:1", ["--with-env"], "y\ny\nn\n")
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain(`web\n${root}/data:/data:rw\nAre you ok to publish these bind mount declarations?`)
  expect(refused.stdout).toContain("Github authentication\n")
  expect(refused.stdout).toContain(`Service/Config  web\nTOKEN=${token}\nAre you ok to publish these environment`)
  expect(await manifest("t/asked", "1")).not.toHaveProperty("layers")
  expect((await publish(root, "t/asked:1", ["--with-env"], "y\ny\ny\n")).code).toBe(0)
  expect(await manifest("t/asked", "1")).toHaveProperty("layers")
})

test.each([
  ["include: [a.yaml]\nservices: {w: {image: b}}", "cannot publish compose file with local includes"],
  [
    "services: {w: {build: .}}",
    'your Compose stack cannot be published as it only contains a build section for service(s):\n- "w"',
  ],
  ["services: {w: {image: b, environment: {A: 1}}}", 'service "w" has environment variable(s) declared.\n'],
  ["services: {w: {image: b, environment: {A: 1}}}", "--with-env"],
  ["services: {w: {image: b, env_file: a.env}}", 'service "w" has env_file declared.\n'],
])("%j is refused in docker's words", async (text, words) => {
  const root = project({ "compose.yaml": text, "a.yaml": "services: {z: {image: b}}", "a.env": "A=1" })
  const { code, stderr } = await publish(root, "t/refused:1", [])
  expect([code, stderr]).toEqual([1, expect.stringContaining(words)])
})

test("a dry run sends nothing", async () => {
  const root = project({ "compose.yaml": "services: {w: {image: busybox}}\n" })
  const { code, stderr } = await publish(root, "t/dry:1", ["--dry-run"])
  expect([code, stderr]).toEqual([0, expect.stringContaining(` DRY-RUN MODE -  ${registry.host}/t/dry:1 published`)])
  expect(await manifest("t/dry", "1")).not.toHaveProperty("layers")
})
