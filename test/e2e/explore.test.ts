/**
 * `explore`: the same figures wherever an image is, dive's rules and document, and what is asked of layers.
 *
 * One user is enough.
 */
import { beforeAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sharedRegistry } from "../support/registry.ts"
import { busyboxReference, openStore } from "../support/store.ts"

const skiff = openStore()
const file = (name: string) => join(skiff.home, name)
const explore = async (...words: string[]) => await skiff.ok("explore", ...words)
const figures = async (place: string) =>
  await explore("--format", "{{.Efficiency}} {{.WastedBytes}} {{.UserBytes}}", place)

beforeAll(async () => {
  const context = file("context")
  mkdirSync(context)
  writeFileSync(
    join(context, "Dockerfile"),
    [
      "FROM busybox",
      "RUN dd if=/dev/zero of=/big bs=1k count=200 2>/dev/null; mkdir /d; echo first > /d/text; echo secret-word > /d/key",
      "RUN chmod 600 /big; echo second >> /d/text; rm /d/key",
      "RUN rm -r /d",
    ].join("\n"),
  )
  await skiff.ok("build", "-q", "-t", "app", context)
  for (const [format, name] of [
    ["docker-archive", "app.tar"],
    ["oci-archive", "app.oci"],
    ["oci-dir", "app.dir"],
  ] as const)
    await skiff.ok("save", "--format", format, "-o", file(name), "app")
})

test("the figures are the same of the store, archives and layouts, however they are written", async () => {
  const ours = await figures("app")
  // both copies of /big, both of /d/text, and its key; the whiteout of /d counts the text that is left in it
  const big = 204_800
  const [, wasted, user] = ours.split(" ").map(Number)
  expect([wasted, user]).toEqual([2 * big + 6 + 13 + 12, 2 * big + 6 + 13 + 12])
  for (const place of [
    `docker-archive:${file("app.tar")}`,
    `docker-archive://${file("app.tar")}`,
    file("app.tar"),
    `oci-archive:${file("app.oci")}`,
    `docker-archive:${file("app.oci")}`,
    `oci:${file("app.dir")}`,
  ])
    expect(await figures(place)).toBe(ours)
})

test("an image at a registry is looked into without being here afterwards", async () => {
  const before = await skiff.ok("images", "-aq")
  const at = `docker://${await busyboxReference()}`
  expect(await explore("--format", "{{range .Layers}}{{.Entries}} {{end}}", at)).toBe(
    await explore("--format", "{{range .Layers}}{{.Entries}} {{end}}", "busybox"),
  )
  expect(await skiff.ok("images", "-aq")).toBe(before)
  expect(readdirSync(join(skiff.root, "ingest"))).toEqual([])
})

/** What dive's document has of the files, whatever order they come in, and what was said besides. */
async function filesOf(place: string, name: string) {
  const { stderr } = await skiff.run(["explore", "--json", file(name), place])
  const { layer } = JSON.parse(readFileSync(file(name), "utf8"))
  const files = layer.map(({ fileList }: { fileList: { path: string }[] }) =>
    fileList
      .filter(({ path }) => !/^(?:stargz\.index\.json|\.no\.prefetch\.landmark)$/.test(path))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  )
  return { files, stderr }
}

test("of a layer with a table of contents at a registry nothing else is read: the same files, and it is said", async () => {
  const { host } = await sharedRegistry()
  const here = await filesOf("app", "here.json")
  for (const [form, name] of [
    ["zstd:chunked", "chunked"],
    ["estargz", "estargz"],
  ] as const) {
    await skiff.ok("push", "-q", "--compression-format", form, "app", `${host}/explore/${name}:1`)
    const there = await filesOf(`docker://${host}/explore/${name}:1`, `${name}.json`)
    expect(there.stderr).toContain("nobody has compared it")
    expect(there.files).toEqual(here.files)
  }
  expect(await explore("--search", "secret-word", "--layer", "2", `docker://${host}/explore/chunked:1`)).toContain(
    "/d/key (layer 2):1: secret-word",
  )
})

test("--json writes dive's document, the same of the store and of an archive but for the names of layers", async () => {
  await explore("--json", file("store.json"), "app")
  await explore("--json", file("archive.json"), file("app.tar"))
  const [ours, archives] = ["store.json", "archive.json"].map((name) =>
    readFileSync(file(name), "utf8").replaceAll(/^ *"id": .*\n/gm, ""),
  )
  expect(ours).toBe(archives)
  const { image, layer } = JSON.parse(readFileSync(file("store.json"), "utf8"))
  expect(image.fileReference[0]).toEqual({ count: 2, sizeBytes: 409_600, file: "/big" })
  expect(layer.at(-1).fileList).toContainEqual(expect.objectContaining({ path: ".wh.d", size: 0, isDir: false }))
})

test("rules pass and fail with dive's words and exit codes, from flags, a file and the environment", async () => {
  const failed = await skiff.run(["explore", "--ci", "--lowestEfficiency", "0.999", "--highestWastedBytes=1B", "app"])
  expect(failed.code).toBe(1)
  expect(failed.stdout).toContain("  FAIL  highestWastedBytes (too many bytes wasted (wasted-bytes=")
  expect(failed.stdout).toMatch(/\nFAIL \[fail:3\]\n$/)
  writeFileSync(
    file("rules"),
    "rules:\n  lowestEfficiency: 0.1\n  highestWastedBytes: 1MB\n  highestUserWastedPercent: disabled\n",
  )
  const passed = await skiff.run(["explore", "--ci-config", file("rules"), "app"], { env: { CI: "true" } })
  expect([passed.code, passed.stdout.split("\n").slice(-2)]).toEqual([0, ["PASS [pass:2 skip:1]", ""]])
  const wrong = await skiff.run(["explore", "--ci", "--lowest-efficiency", "2", "app"])
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("--lowest-efficiency")])
})

test("a path's history, a text, a file and another image are shown", async () => {
  const history = await explore("--history", "/d/text", "app")
  expect(history.split("\n").map((line) => line.trim().slice(0, 9))).toEqual(
    expect.arrayContaining(["A layer 2", "C layer 3", "+second", "D layer 4"]),
  )
  // what a later layer hides is in the image all the same
  expect(await skiff.run(["explore", "--search", "secret-word", "app"])).toMatchObject({ code: 1, stdout: "" })
  expect(await explore("--search", "secret-word", "--layer", "2", "app")).toBe("/d/key (layer 2):1: secret-word")
  await explore("--extract", "d/key", "--layer", "2", "--to", file("out"), "app")
  expect(readFileSync(file("out/key"), "utf8")).toBe("secret-word\n")
  const differs = await skiff.run(["explore", "busybox", "app"])
  expect([differs.code, differs.stdout]).toEqual([1, "A   +205 kB  /big\n"])
  expect(await skiff.run(["explore", "app", file("app.tar")])).toMatchObject({ code: 0, stdout: "" })
})

test("the line of the Dockerfile is told that made a layer, and what other images have too", async () => {
  const { Layers: layers } = JSON.parse(await explore("--format", "json", "app"))
  expect(layers.map((layer: { DockerfileLine: unknown }) => layer.DockerfileLine)).toEqual([
    null,
    ...[2, 3, 4].map((line) => ({ File: "Dockerfile", Line: line })),
  ])
  expect(await explore("--across", "app")).toBe("")
  expect(await explore("--packages", "app")).toBe("")
})

test("reports are written as a page and as Markdown", async () => {
  await explore("--html", file("report.html"), "--markdown", file("report.md"), "app")
  const page = readFileSync(file("report.html"), "utf8")
  expect(page).toContain("default-src 'none'")
  expect(page).not.toMatch(/src=|href=|https?:/)
  expect(readFileSync(file("report.md"), "utf8")).toContain("| 2 | 410 kB | /big |")
})

test("an index lies beside its layer, and goes with it", async () => {
  const indexes = () =>
    readdirSync(join(skiff.root, "layers")).filter((layer) =>
      existsSync(join(skiff.root, "layers", layer, "explore-index")),
    )
  expect(indexes().length).toBe(4)
  await skiff.ok("rmi", "-f", (await skiff.ok("images", "-q", "app")).trim())
  await skiff.ok("buildx", "prune", "-af")
  expect(indexes().length).toBe(1)
})
