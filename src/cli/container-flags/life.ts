import type { ContainerOptions } from "../../container/container.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Flags of `run` and `create` on what a container needs, how long it may run, and what goes with it. */
export const LIFE_FLAGS = {
  replace: flag.bool("Remove a container of the same name first"),
  requires: flag.strings("Start these containers before this one", "container", { completes: "containers" }),
  timeout: flag.int("Kill the container when it has run for so many seconds", { typeName: "seconds" }),
}

/** `--rmi` implies `--rm`. */
export const RUN_LIFE_FLAGS = {
  rmi: flag.bool("Remove the image with the container, unless another uses it; implies --rm"),
}

/** What these flags ask for. */
export function lifeOptions({
  requires,
  timeout,
  rmi,
}: FlagValues<typeof LIFE_FLAGS> & { rmi?: boolean }): Pick<
  ContainerOptions,
  "requires" | "runTimeoutSeconds" | "removeImage" | "autoRemove"
> {
  return {
    ...(requires.length === 0 ? {} : { requires: requires.flatMap((names) => names.split(",")) }),
    ...(timeout === undefined || timeout === 0 ? {} : { runTimeoutSeconds: timeout }),
    ...(rmi ? { removeImage: true, autoRemove: true } : {}),
  }
}
