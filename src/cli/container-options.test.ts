import { expect, test } from "bun:test"
import { resolveOptions } from "../container/options.ts"
import { CONTAINER_FLAGS, type ContainerFlags } from "./container-flags.ts"
import { containerOptions } from "./container-options.ts"
import { parseFlags } from "./parse-flags.ts"

test("a container made of an image's name alone is what `create IMAGE` makes", () => {
  const flags = parseFlags(CONTAINER_FLAGS, [], false).values as unknown as ContainerFlags
  expect(resolveOptions(containerOptions("busybox", [], flags))).toEqual(resolveOptions({ image: "busybox" }))
})
