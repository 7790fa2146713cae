/** Names as Kubernetes has them (RFC 1123 labels): lower case, no underscore, as podman writes them too. Pure. */
export function kubeName(name: string): string {
  const label = name
    .replaceAll("_", "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-")
  return label.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "").slice(0, 63) || "unnamed"
}

/** The name of a volume of a pod, of the host's path. Pure. */
export function hostVolumeName(path: string, index: number): string {
  const name = path === "/" ? "root" : path.replace(/^\/+|\/+$/g, "").replaceAll("/", "-")
  return `${kubeName(name)
    .slice(0, 50)
    .replace(/[.-]+$/, "")
    .replaceAll(".", "-")}-host-${index}`
}
