import { afterAll, beforeAll, test } from "bun:test"
import { existsSync } from "node:fs"
import { BUSYBOX } from "./image.ts"
import { sharedRegistry } from "./registry.ts"
import { Skiff } from "./skiff.ts"
import { user } from "./user.ts"

let pushed: Promise<string> | undefined

/** The full name of the base image in the registry of this process. */
export function busyboxReference(): Promise<string> {
  return (pushed ??= sharedRegistry().then((registry) => registry.push("base/busybox:latest", BUSYBOX)))
}

/** A store for the tests of one file, with the image `busybox`; closed, and checked for what is left, after the last. */
export function openStore(): Skiff {
  const skiff = new Skiff()
  beforeAll(async () => {
    const reference = await busyboxReference()
    await skiff.ok("pull", "-q", reference)
    await skiff.ok("tag", reference, "busybox")
  })
  afterAll(() => skiff.close(), 60_000)
  return skiff
}

/** `test`, or a skipped one whose name says why. */
export function testUnless(reason: string | false): (name: string, body: () => unknown, timeoutMs?: number) => void {
  if (reason === false) return (name, body, timeoutMs) => test(name, body as () => Promise<void>, timeoutMs)
  return (name) => test.skip(`${name} (skipped: ${reason})`, () => {})
}

/** Why limits cannot hold for the user of this run, or false. */
export const noLimits: string | false =
  user.rootless && !existsSync(`/run/user/${user.uid}/bus`) && "no delegated cgroups for an ordinary user here"

export const asRootOnly: string | false = user.rootless && "asked of root only"
export const rootlessOnly: string | false = !user.rootless && "asked of an ordinary user only"
