import { basename } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { parseReference, type Image, type Images, type PushOptions } from "../../image/image.ts"
import type { Out } from "../out.ts"
import { writeResult } from "../output/write-result.ts"

/** Where `builder commit` puts its image: skopeo's names of places (containers-transports(5)). */
export type Destination =
  | { kind: "store"; name: string | undefined }
  | { kind: "registry"; name: string }
  | { kind: "archive"; format: "oci-archive" | "docker-archive"; path: string; name: string | undefined }
  | { kind: "directory"; format: "oci-dir" | "docker-dir"; path: string; name: string | undefined }

/** Throws InvalidArgument; Unsupported for a place that we do not reach. */
export function parseDestination(text: string | undefined): Destination {
  const [, transport = "", rest = ""] = /^([a-z][a-z-]*):(.*)$/s.exec(text ?? "") ?? []
  switch (transport) {
    case "docker":
      if (!rest.startsWith("//")) break
      return { kind: "registry", name: checkedName(rest.slice(2)) }
    case "containers-storage":
      return { kind: "store", name: checkedName(rest.replace(/^\[[^\]]*\]/, "")) }
    case "oci":
      return { kind: "directory", format: "oci-dir", ...split(rest, transport) }
    case "dir":
      return { kind: "directory", format: "docker-dir", path: checkedPath(rest, transport), name: undefined }
    case "oci-archive":
    case "docker-archive":
      return { kind: "archive", format: transport, ...split(rest, transport) }
    case "docker-daemon":
      throw new Unsupported("cannot write images into Docker's own store", {
        hint: "commit to docker-archive:FILE, then docker load -i FILE",
      })
    case "ostree":
    case "sif":
    case "tarball":
      throw new Unsupported(`cannot write images to ${transport}:`, {
        hint: "valid: docker://, oci:, oci-archive:, docker-archive:, dir:, containers-storage:",
      })
  }
  return { kind: "store", name: text === undefined ? undefined : checkedName(text) }
}

/** `PATH[:NAME[:TAG]]`; a tag alone is of the directory's or file's own name. */
function split(text: string, transport: string): { path: string; name: string | undefined } {
  const colon = text.indexOf(":")
  const path = checkedPath(colon < 0 ? text : text.slice(0, colon), transport)
  const name = colon < 0 ? "" : text.slice(colon + 1)
  if (name === "") return { path, name: undefined }
  const isTag = transport === "oci" && /^[\w.-]+$/.test(name)
  return { path, name: checkedName(isTag ? `${ownName(path)}:${name}` : name) }
}

function ownName(path: string): string {
  return (
    basename(path)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "") || "image"
  )
}

function checkedPath(path: string, transport: string): string {
  if (path === "") throw new InvalidArgument(`"${transport}:" needs a path`)
  return path
}

function checkedName(text: string): string {
  parseReference(text)
  return text
}

/** Brings an image of the store where it shall be. The store keeps it only if it has a name there. */
export async function deliver(
  images: Images,
  image: Image,
  destination: Destination,
  options: PushOptions,
  out: Out,
): Promise<void> {
  if (destination.kind === "store") return
  try {
    await send(images, image, destination, options, out)
  } finally {
    if (images.find(image.id)?.tags.length === 0) await images.remove(image.id)
  }
}

async function send(
  images: Images,
  image: Image,
  destination: Exclude<Destination, { kind: "store" }>,
  options: PushOptions,
  out: Out,
): Promise<void> {
  if (destination.kind === "registry") {
    await images.push(image.id, { ...options, destination: destination.name })
    return
  }
  const { path, name } = destination
  const names = name === undefined ? [] : [fullName(name)]
  if (destination.kind === "archive") {
    const set = { members: [{ image, attestations: [] }] }
    await writeResult("commit", path, images.saveSet(set, names, destination.format), out)
    return
  }
  // a directory takes its names from the records: this one is there for that moment
  for (const each of names) images.tag(image.id, each)
  try {
    await images.saveDirectory([names[0] ?? image.id], destination.format, path)
  } finally {
    for (const each of names) await images.remove(each)
  }
}

function fullName(name: string): string {
  const { registry, repository, tag = "latest" } = parseReference(name)
  return `${registry}/${repository}:${tag}`
}
