import { realpathSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { FailedPrecondition } from "../../base/errors.ts"
import type { BakePlan, BakeTarget, Fields } from "../../bake/bake.ts"

/** A path of the host that a target reads or writes. */
interface PathUse {
  access: "read" | "write"
  path: string
}

/**
 * What a file wants beyond its own directory and a build's own powers, its caller must want too: privileges, and paths outside the working
 * directory (buildx's `fs`, `fs.read`, `fs.write`). Throws FailedPrecondition for the first that is not allowed.
 */
export function checkEntitlements({ target }: BakePlan, allowed: readonly string[], directory: string): void {
  const checksPaths = !["0", "false"].includes(process.env.BUILDX_BAKE_ENTITLEMENTS_FS ?? "")
  for (const [name, one] of Object.entries(target)) {
    for (const entitlement of one.entitlements ?? [])
      if (!allowed.includes(entitlement)) throw refused(name, `the entitlement ${entitlement}`, entitlement)
    for (const { access, path } of checksPaths ? pathsOf(one) : []) {
      const real = realPath(resolve(directory, path))
      const roots = [directory, ...allowedPaths(allowed, access)]
      if (!roots.some((root) => isWithin(real, realPath(resolve(directory, root)))))
        throw refused(name, `to ${access} ${path}, outside the working directory`, `fs.${access}=${path}`)
    }
  }
}

function refused(target: string, what: string, allow: string): FailedPrecondition {
  return new FailedPrecondition(`target "${target}" wants ${what}, which is not allowed`, {
    hint: `--allow ${allow}`,
  })
}

function allowedPaths(allowed: readonly string[], access: PathUse["access"]): string[] {
  return allowed.flatMap((word) => {
    const [, kind, path] = /^fs(?:\.(read|write))?=(.+)$/.exec(word) ?? []
    if (path === undefined || (kind !== undefined && kind !== access)) return []
    return [path === "*" ? "/" : path]
  })
}

function pathsOf(target: BakeTarget): PathUse[] {
  const contexts = [target.context ?? ".", ...Object.values(target.contexts ?? {})]
  const reads = [
    ...contexts.filter((one) => !/^[a-z-]+:|^[\w.-]+@|^github\.com\//.test(one)),
    ...texts(target.secret, "src"),
    ...texts(target["cache-from"], "src"),
  ]
  const dockerfile = target.dockerfile ?? ""
  if (dockerfile.startsWith("/")) reads.push(dockerfile)
  else if (dockerfile.startsWith("cwd://")) reads.push(dockerfile.slice("cwd://".length))
  else if (reads[0] === target.context) reads.push(join(target.context ?? ".", dockerfile))
  const writes = [...texts(target.output, "dest"), ...texts(target["cache-to"], "dest")].filter((one) => one !== "-")
  return [
    ...reads.map((path): PathUse => ({ access: "read", path })),
    ...writes.map((path): PathUse => ({ access: "write", path })),
  ]
}

function texts(fields: readonly Fields[] | undefined, key: string): string[] {
  return (fields ?? []).flatMap((one) => (typeof one[key] === "string" && one[key] !== "" ? [one[key]] : []))
}

/** Of what is not there yet, that of the nearest directory that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const above = dirname(path)
    return above === path ? path : resolve(realPath(above), path.slice(above.length).replace(/^\//, ""))
  }
}

function isWithin(path: string, root: string): boolean {
  return path === root || root === "/" || path.startsWith(`${root}/`)
}
