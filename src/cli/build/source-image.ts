import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { Images, LoadOptions } from "../../image/image.ts"

const FILES = new Set(["oci", "oci-archive", "docker-archive", "dir"])

/**
 * The name of an image of the store or a registry, for what `builder from` was given: such a name, `docker://NAME`,
 * `containers-storage:NAME`, or an archive or directory (containers-transports(5)), which is loaded first.
 */
export async function sourceImage(images: () => Promise<Images>, text: string, options: LoadOptions): Promise<string> {
  const [, transport = "", rest = ""] = /^([a-z][a-z-]*):(.*)$/s.exec(text) ?? []
  if (transport === "docker" && rest.startsWith("//")) return rest.slice(2)
  if (transport === "containers-storage") return rest.replace(/^\[[^\]]*\]/, "")
  if (transport === "docker-daemon" || transport === "ostree" || transport === "sif")
    throw new Unsupported(`cannot read images from ${transport}:`, {
      hint: "docker save NAME -o FILE, then docker-archive:FILE",
    })
  if (!FILES.has(transport)) return text
  const [path = "", ...name] = rest.split(":")
  if (path === "") throw new InvalidArgument(`"${transport}:" needs a path`)
  const loaded = await (await images()).load({ path }, options)
  const wanted = name.join(":")
  const found = wanted === "" ? loaded : loaded.filter(({ names }) => names.some((each) => isCalled(each, wanted)))
  const [only, ...others] = found
  if (only === undefined || others.length > 0)
    throw new InvalidArgument(
      `"${path}" holds ${found.length === 0 ? "no image" : `${found.length} images`} ${wanted}`,
      {
        hint: `name one of: ${loaded.flatMap(({ names }) => names).join(", ") || "none has a name"}`,
      },
    )
  return only.image.id
}

/** `1` and `web:1` are `docker.io/library/web:1`. */
function isCalled(name: string, wanted: string): boolean {
  return name === wanted || name.endsWith(`/${wanted}`) || name.endsWith(`:${wanted}`)
}
