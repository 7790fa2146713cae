/** The scopes of containers-policy.json(5) and containers-registries.d(5) that an image lies in, the most specific first. */
import type { PolicySubject, RemoteReference } from "../registry.ts"

/** Without the transport's default `""`. */
export function scopesOf(subject: PolicySubject): string[] {
  switch (subject.transport) {
    case "docker":
      return referenceScopes(subject.ref)
    case "docker-daemon":
    case "containers-storage":
      return nameScopes(subject.name)
    case "docker-archive":
      return [] // the man page: only the default scope is supported
    case "dir":
      return subject.path === undefined ? [] : pathScopes(subject.path)
    case "oci":
    case "oci-archive":
      if (subject.path === undefined) return []
      return [`${subject.path}:${subject.name ?? ""}`, ...pathScopes(subject.path)]
  }
}

/** The image in messages. */
export function subjectName(subject: PolicySubject): string {
  if (subject.transport === "docker") return fullName(subject.ref)
  if ("path" in subject) return `${subject.transport}:${subject.path ?? "-"}`
  return `${subject.transport}:${subject.name}`
}

/** The repository with its tag or, where it has one, its digest. */
export function fullName(ref: RemoteReference): string {
  return `${ref.registry}/${ref.repository}${ref.digest === undefined ? `:${ref.tag ?? "latest"}` : `@${ref.digest}`}`
}

/** The whole reference, its repository, each part of its path, the registry, and wildcards for the domains above it. */
export function referenceScopes(ref: RemoteReference): string[] {
  return [fullName(ref), ...parents(`${ref.registry}/${ref.repository}`), ...wildcards(ref.registry)]
}

function nameScopes(name: string): string[] {
  if (name.startsWith("sha256:")) return [name]
  const repository = name.replace(/(?:@.*|:[^/]*)$/, "")
  const [registry = ""] = repository.split("/")
  return [...new Set([name, ...parents(repository), ...wildcards(registry)])]
}

/** `a/b/c`, `a/b`, `a`. */
function parents(path: string): string[] {
  const parts = path.split("/")
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("/"))
}

/** `a.b.c:5000`: `*.b.c:5000`, `*.c:5000`. */
function wildcards(host: string): string[] {
  const labels = host.split(".")
  return labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`)
}

/** The root is left out, as the man page says: that is the default. */
function pathScopes(path: string): string[] {
  return parents(path).filter((each) => each !== "")
}
