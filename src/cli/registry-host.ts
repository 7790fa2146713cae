import { InvalidArgument } from "../base/errors.ts"
import { parseReference } from "../image/image.ts"

/** The registry that `login` and `logout` mean, as credentials are kept for it. Throws InvalidArgument. */
export function registryHost(server = "docker.io"): string {
  const bare = server.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "")
  if (bare === "docker.io" || bare === "index.docker.io" || bare === "registry-1.docker.io") return "docker.io"
  // only a name with a dot, a colon or localhost can stand before a repository, so only to such can be pushed
  const isHost = !bare.includes("/") && parseReference(`${bare}/x`).registry === bare
  if (isHost) return bare
  throw new InvalidArgument(`"${server}" is not a registry host`, {
    hint: "expected HOST[:PORT], such as registry.example:5000",
  })
}
