import { hash } from "node:crypto"
import {
  isOfSystem,
  packageId,
  purlOf,
  sourceParts,
  versionParts,
  type Distribution,
  type Package,
} from "../../sbom/sbom.ts"
import type { Place } from "../scan.ts"

/** A package as Trivy's reports have it. */
export interface PackageDocument {
  ID: string
  Name: string
  Identifier: { PURL: string; UID: string }
  Version: string
  Release?: string
  Epoch?: number
  Arch?: string
  SrcName?: string
  SrcVersion?: string
  SrcRelease?: string
  SrcEpoch?: number
  Licenses?: string[]
  Maintainer?: string
  Modularitylabel?: string
  Indirect?: true
  Relationship?: "indirect"
  DependsOn?: string[]
  Layer: object
  FilePath?: string
  Dev?: true
}

/** A layer as Trivy's reports have it; empty where nobody knows. */
export function layerDocument(layer: Place["layer"] | undefined): object {
  if (layer === undefined) return {}
  const { digest, diffId, createdBy, dockerfile } = layer
  return {
    ...(digest === undefined ? {} : { Digest: digest }),
    DiffID: diffId,
    ...(createdBy === undefined ? {} : { CreatedBy: createdBy }),
    ...(dockerfile === undefined ? {} : { Skiff: { Dockerfile: dockerfile.file, Line: dockerfile.line } }),
  }
}

/** `layers`: by their diff ids; `ids`: of the packages of the same list, by their names. */
export function packageDocument(
  each: Package,
  distribution: Distribution | undefined,
  layers: ReadonlyMap<string, Place["layer"]>,
  ids?: ReadonlyMap<string, string>,
): PackageDocument {
  const purl = purlOf(each, distribution)
  const isSystem = isOfSystem(each)
  const layer = each.layer && layers.get(each.layer)
  return {
    ID: packageId(each),
    Name: each.name,
    Identifier: { PURL: purl, UID: hash("sha256", `${purl}\0${each.foundIn}`, "hex").slice(0, 16) },
    ...versionParts(each),
    ...(each.architecture === undefined ? {} : { Arch: each.architecture }),
    ...prefixed(sourceParts(each)),
    ...(each.license === undefined ? {} : { Licenses: [each.license] }),
    ...(isSystem && each.supplier !== undefined ? { Maintainer: each.supplier } : {}),
    ...(each.module === undefined ? {} : { Modularitylabel: each.module }),
    ...(each.isIndirect === true ? { Indirect: true as const, Relationship: "indirect" as const } : {}),
    ...dependencyParts(each, ids),
    Layer: layerDocument(layer),
    ...(isSystem ? {} : { FilePath: each.foundIn.replace(/^\/+/, "") }),
    ...(each.isDevelopment === true ? { Dev: true } : {}),
  }
}

/** Of packages by their names; of several versions of one in a language's list nobody knows which is meant: it is not there. */
export function idsByName(packages: readonly Package[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string>()
  const unclear = new Set<string>()
  for (const each of packages)
    if (!ids.has(each.name)) ids.set(each.name, packageId(each))
    else if (!isOfSystem(each)) unclear.add(each.name)
  for (const name of unclear) ids.delete(name)
  return ids
}

function dependencyParts({ dependsOn = [] }: Package, ids: ReadonlyMap<string, string> | undefined) {
  const found = dependsOn.flatMap((name) => ids?.get(name) ?? []).toSorted()
  return found.length === 0 ? {} : { DependsOn: found }
}

function prefixed(parts: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(parts).map(([key, value]) => [`Src${key}`, value]))
}
