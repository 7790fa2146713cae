import type { ContainerOptions } from "../../container/container.ts"
import { parseSecret } from "../../spec/docker/secret-request.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Podman's `--secret` of `run` and `create`. */
export const SECRET_FLAGS = {
  secret: flag.list(parseSecret, "Add secret to container", "secret[,opt=opt...]", { completes: "secrets" }),
}

/** What they ask for. */
export function secretOptions({ secret }: FlagValues<typeof SECRET_FLAGS>): Pick<ContainerOptions, "secrets"> {
  return secret.length === 0 ? {} : { secrets: secret }
}
