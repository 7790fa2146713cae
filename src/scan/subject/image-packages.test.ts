import { expect, test } from "bun:test"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { ImageTree } from "../../sbom/sbom.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import type { ChainId, DiffId } from "../../spec/digest.ts"
import type { ScanOptions } from "../scan.ts"
import { imagePackages } from "./image-packages.ts"
import { LayerFinder } from "./layer-finder.ts"

const OPTIONS = { skipDirectories: [], skipFiles: [] } as unknown as ScanOptions

/** Name and layer of each package; the topmost layer has all the files. */
function layersOf(layers: readonly Record<string, string>[], options = OPTIONS, link?: [to: string, at: string]) {
  const root = mkdtempSync(join(tmpdir(), "image-packages-"))
  try {
    for (const [index, files] of layers.entries())
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, `${index}`, path)), { recursive: true })
        writeFileSync(join(root, `${index}`, path), text)
      }
    const snapshots = { driver: "overlay", diffPath: (id: string) => join(root, id) } as unknown as Snapshotter
    const chain = layers.map((_, index) => `${index}` as ChainId)
    using finder = new LayerFinder(
      snapshots,
      chain,
      chain.map((id) => ({ diffId: `layer ${id}` as DiffId, directory: "" })),
    )
    const top = join(root, `${layers.length - 1}`)
    // of the whole alone: a layer has it only where it made it
    const seen = link === undefined ? top : join(root, "seen")
    if (link !== undefined) {
      cpSync(top, seen, { recursive: true })
      symlinkSync(link[0], join(seen, link[1]))
    }
    const { packages } = imagePackages(() => new ImageTree(seen), finder, options)
    return packages.map(({ name, version, layer }) => `${name} ${version}: ${layer ?? "unknown"}`)
  } finally {
    rmSync(root, { recursive: true })
  }
}

function status(...packages: string[]): Record<string, string> {
  const text = packages.map((each) => {
    const [name, version] = each.split("=")
    return `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`
  })
  return { "var/lib/dpkg/status": text.join("\n") }
}

test("a package is of the layer that installed it, though later layers have the whole database again", () => {
  expect(
    layersOf([status("libc6=1", "curl=1"), status("libc6=1", "curl=2"), status("libc6=1", "curl=2", "vim=1")]),
  ).toEqual(["curl 2: layer 1", "libc6 1: layer 0", "vim 1: layer 2"])
})

test("a package that was removed meanwhile is of the layer that brought it again", () => {
  expect(layersOf([status("a=1", "b=1"), status("b=1"), status("a=1", "b=1")])).toEqual([
    "a 1: layer 2",
    "b 1: layer 0",
  ])
})

test("of other packages the layer is looked up when all are to have theirs", () => {
  const npm = { "node_modules/x/package.json": `{"name":"x","version":"1.0.0"}` }
  expect(layersOf([npm])).toEqual(["x 1.0.0: unknown"])
  expect(layersOf([npm], { ...OPTIONS, withPackageLayers: true })).toEqual(["x 1.0.0: layer 0"])
})

const apk = (...names: string[]) => ({
  "usr/lib/apk/db/installed": names.map((name) => `P:${name}\nV:1-r0\nA:x86_64\n\n`).join(""),
})

test("where a directory is a link in the whole, a layer has the file where that leads", () => {
  const found = layersOf([apk("busybox"), apk("busybox", "curl")], OPTIONS, ["usr/lib", "lib"])
  expect(new Set(found)).toEqual(new Set(["busybox 1-r0: layer 0", "curl 1-r0: layer 1"]))
})
