/** Caches between stores of different forms; what users see of them is in test/e2e/build-cache-elsewhere.test.ts. */
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { CacheTarget } from "../build.ts"
import { BuildLab, missing } from "../build.suite.ts"

const onKernel = missing === undefined ? describe : describe.skip

const text = `FROM base AS maker
RUN mkdir -p /d/e && echo made > /d/e/f && ln /d/e/f /d/hard && ln -s f /d/e/soft
FROM base
RUN touch /etc/new && rm -rf /tmp/x /bin/[ && mkdir /bin/[ && chmod 1777 /d 2>/dev/null; chown 5:6 /etc/new
COPY --from=maker /d /d
RUN rm /d/hard && mv /d/e /moved`

const toDirectory = (path: string): CacheTarget => ({
  type: "local",
  path,
  tag: "latest",
  mode: "max",
  layers: { compression: "gzip" },
  document: "manifest",
  mediaTypes: "oci",
  mounts: true,
  ignoreError: false,
})

onKernel("a cache of a store with", () => {
  test.each([
    ["overlays, in one with whole copies", undefined, "native" as const],
    ["whole copies, in one with overlays", "native" as const, undefined],
  ])("%s gives the same image", async (_, from, to) => {
    await using here = await BuildLab.open(from)
    await using there = await BuildLab.open(to)
    const path = join(here.directory, "cache")
    const first = await here.build(text, { cacheTo: [toDirectory(path)] })
    expect(first.ran).toHaveLength(4)
    const second = await there.build(text, { cacheFrom: [{ type: "local", path, tag: "latest" }] })
    expect(second.ran).toEqual([])
    expect(second.digest).toBe(first.digest)
    expect(await there.read(second, "moved/f")).toBe("made\n")
    // read again from the snapshots, as a push does
    const [image] = second.images
    const images = await there.engine.images()
    for await (const chunk of images.save([image?.id ?? ""], "docker-archive")) expect(chunk).toBeDefined()
    expect(there.leftovers()).toEqual([])
  })
})
