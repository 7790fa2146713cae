import { copyFileSync, mkdirSync, rmdirSync, rmSync } from "node:fs"
import { homedir, hostname } from "node:os"
import { join } from "node:path"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { hasErrno } from "../../base/errors.ts"

const FILE = "skiff-registry.crt"

/**
 * Has this user's tools trust a registry of this host while it is served, by containers-certs.d(5): root's all users' tools. Disposed, they do
 * no longer; killed, they trust an authority whose key only this user has.
 */
export function trustHere(authority: string, url: string): Disposable {
  const { port } = new URL(url)
  const root = certsDirectory()
  const places = ["localhost", "127.0.0.1", hostname()].map((host) => join(root, `${host}:${port || "443"}`))
  for (const place of places) {
    mkdirSync(place, { recursive: true, mode: 0o755 })
    copyFileSync(authority, join(place, FILE))
  }
  return {
    [Symbol.dispose]() {
      for (const place of places) {
        rmSync(join(place, FILE), { force: true })
        removeIfEmpty(place)
      }
    },
  }
}

function certsDirectory(): string {
  // in the namespaces of an ordinary user we are root, and /etc is not ours
  if (process.getuid?.() === 0 && rootlessUid() === undefined) return "/etc/containers/certs.d"
  return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "containers/certs.d")
}

/** Others may have put certificates of theirs there. */
function removeIfEmpty(place: string): void {
  try {
    rmdirSync(place)
  } catch (error) {
    if (!hasErrno(error, "ENOTEMPTY", "ENOENT")) throw error
  }
}
