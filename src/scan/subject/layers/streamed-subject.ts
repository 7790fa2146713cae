import { createHash, randomUUID } from "node:crypto"
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs"
import { join } from "node:path"
import { decompressBounded } from "../../../archive/archive.ts"
import { DataLoss } from "../../../base/errors.ts"
import { TimeSlice } from "../../../base/time-slice.ts"
import { parseReference, formatReference, type OpenedImageAt } from "../../../image/image.ts"
import { rawName } from "../../../sys/fs/raw-name.ts"
import type { FoundPackages } from "../../../sbom/sbom.ts"
import { formatPlatform } from "../../../spec/platform.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import type { ScanDeps } from "../../deps.ts"
import type { ScanOptions, ScanSubject, SubjectLayer } from "../../scan.ts"
import { stepWithoutSecrets } from "../../secret/config-without-secrets.ts"
import { imagePackages } from "../image-packages.ts"
import { layOver, newDirectory, type FileNode } from "./file-node.ts"
import { LayeredTree, type LayerFile } from "./layered-tree.ts"
import { LayerReader } from "./layer-reader.ts"

/** Of all layers together: a name takes some 250 bytes. Images with more are unpacked. */
const MAX_NAMES = 300_000

/**
 * An image that is read where it lies, and unpacked nowhere: of each layer one pass tells the names and checks the digest, then files are read
 * in the uncompressed archive. That is a file below `scratch` without a name, so that it goes with this process however that ends.
 * Throws Unsupported for what has to be unpacked, DataLoss, InvalidArgument, and the signal's reason.
 */
export async function streamedSubject(
  image: OpenedImageAt,
  called: Pick<ScanSubject, "kind" | "name" | "path">,
  options: ScanOptions,
  { scratch, dockerfileLines }: Pick<ScanDeps, "dockerfileLines"> & { scratch: string },
): Promise<ScanSubject> {
  using undo = new DisposableStack()
  const { config, layers: descriptors } = image
  if (config.rootfs.diff_ids.length !== descriptors.length)
    throw new DataLoss(
      `the image has ${descriptors.length} layers, its config ${config.rootfs.diff_ids.length} of them`,
    )
  const names = { left: MAX_NAMES }
  const files: LayerFile[] = []
  const roots: FileNode[] = []
  const seen = newDirectory("", 0)
  let sizeBytes = 0
  for (const [index, descriptor] of descriptors.entries()) {
    const fd = openUnnamed(scratch)
    undo.defer(() => closeSync(fd))
    const reader = new LayerReader(index, names)
    await spool({ image, index, descriptor, fd, reader }, options.signal)
    sizeBytes += reader.sizeBytes
    files.push({ fd, at: 0 })
    roots.push(reader.root)
    layOver(seen, reader.root)
  }
  const steps = (config.history ?? []).filter((step) => step.empty_layer !== true)
  const id = digestOfConfig(image)
  const lines = (await dockerfileLines?.(id, config.history)) ?? []
  const layers = config.rootfs.diff_ids.map((diffId, index): SubjectLayer => {
    const [descriptor, createdBy, dockerfile] = [descriptors[index], steps[index]?.created_by, lines[index]]
    return {
      diffId,
      ...(descriptor === undefined ? {} : { digest: descriptor.digest }),
      ...(createdBy === undefined ? {} : { createdBy: stepWithoutSecrets(createdBy) }),
      ...(dockerfile === undefined ? {} : { dockerfile }),
      open: () => treeOf(roots[index]),
    }
  })
  const tree = treeOf(seen)
  const layerOf = (path: string) => {
    const node = tree.node(rawName(path))
    return node === undefined ? undefined : layers[node.layer]
  }
  const having = (path: string) =>
    layers.flatMap((layer, index) =>
      treeOf(roots[index]).open(path, Infinity) === undefined ? [] : [{ layer, open: () => treeOf(roots[index]) }],
    )
  const owned = undo.move()
  let found: FoundPackages | undefined
  return {
    ...called,
    image: {
      id,
      tags: image.names.flatMap(tagged),
      digests: image.name === "" ? [] : [`${image.name}@${image.top.descriptor.digest}`],
      config,
      platform: formatPlatform(config),
      sizeBytes,
    },
    layers,
    tree,
    packages: () => (found ??= imagePackages(() => treeOf(seen), { of: layerOf, having }, options)),
    layerOf,
    [Symbol.dispose]: () => owned.dispose(),
  }

  function treeOf(root: FileNode = newDirectory("", 0)): LayeredTree {
    return new LayeredTree(root, files)
  }
}

interface Spooled {
  image: OpenedImageAt
  index: number
  descriptor: Descriptor
  fd: number
  reader: LayerReader
}

async function spool({ image, index, descriptor, fd, reader }: Spooled, signal?: AbortSignal): Promise<void> {
  const diffId = image.config.rootfs.diff_ids[index]
  const hash = createHash("sha256")
  const slice = new TimeSlice(signal)
  let at = 0
  const { bytes } = await image.read(index)
  for await (const chunk of decompressBounded(bytes, `layer ${index + 1}`)) {
    hash.update(chunk)
    reader.write(chunk)
    for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done, chunk.length - done, at + done)
    at += chunk.length
    if (slice.isOver) await slice.giveWay()
  }
  reader.finish()
  const digest = `sha256:${hash.digest("hex")}`
  if (digest !== diffId)
    throw new DataLoss(`layer ${index + 1} (${descriptor.digest}) has the digest ${digest}, not ${diffId}`, {
      hint: "do not trust this image",
    })
}

function openUnnamed(scratch: string): number {
  const path = join(scratch, `skiff-layer-${randomUUID()}`)
  const fd = openSync(path, "wx+", 0o600)
  unlinkSync(path)
  return fd
}

function digestOfConfig({ configBytes }: OpenedImageAt): NonNullable<ScanSubject["image"]>["id"] {
  return `sha256:${createHash("sha256").update(configBytes).digest("hex")}` as NonNullable<ScanSubject["image"]>["id"]
}

/** As `Images.load` names them. */
function tagged(name: string): string[] {
  const { registry, repository, tag = "latest", digest } = parseReference(name)
  return digest === undefined ? [formatReference({ registry, repository, tag })] : []
}
