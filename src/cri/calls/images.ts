/** The image service: all images of the store, whoever has brought them. */
import { statfsSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import { parseReference, type Image } from "../../image/image.ts"
import type { RegistryAccess } from "../../registry/registry.ts"
import { inParts, nanoseconds, type CriContext } from "../context.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import { containersOf } from "./container-status.ts"
import { checkHandler } from "./runtime.ts"
import { ifThere } from "./sandboxes.ts"

type Calls = Handlers<Cri.ImageServiceCalls>

export function imageCalls(context: CriContext): Calls {
  const { engine } = context
  return {
    async ListImages({ filter }) {
      return { images: await listed(context, filter) }
    },

    async *StreamImages({ filter }) {
      for (const images of inParts(await listed(context, filter))) yield { images }
    },

    async ImageStatus({ image, verbose }) {
      const images = await engine.images()
      const found = images.find(nameOf(image))
      if (found === undefined) return { image: null }
      return {
        image: await shown(context, found),
        ...(verbose && { info: { info: JSON.stringify({ imageSpec: await images.config(found) }) } }),
      }
    },

    async PullImage({ image, auth }, { signal }) {
      const name = nameOf(image)
      checkHandler(image?.runtime_handler ?? "")
      const pulled = await (await engine.images()).pull(name, { ...accessOf(auth, name), signal })
      return { image_ref: pulled.image.id }
    },

    async RemoveImage({ image }) {
      await ifThere(async () => {
        const images = await engine.images()
        // by its id, with all its names
        await images.remove(images.get(nameOf(image)).id, { force: true })
      })
      return {}
    },

    async ImageFsInfo() {
      const root = await context.root()
      const { files, ffree } = statfsSync(root)
      const images = await engine.images()
      // what several images stand on lies there once
      const layers = new Map(
        images.list().flatMap((image) => images.layers(image).map(({ chainId, sizeBytes }) => [chainId, sizeBytes])),
      )
      const usage = (bytes: number): Sent<Cri.FilesystemUsage> => ({
        timestamp: nanoseconds(Date.now()),
        fs_id: { mountpoint: root },
        used_bytes: { value: String(bytes) },
        inodes_used: { value: String(files - ffree) },
      })
      const containers = await writableBytes(context)
      // kubelet takes an answer without the second for none; both are the store's
      return {
        image_filesystems: [usage([...layers.values()].reduce((sum, bytes) => sum + bytes, 0))],
        container_filesystems: [usage(containers)],
      }
    },
  }
}

/** Of CRI's own containers. Who goes meanwhile counts nothing. */
async function writableBytes(context: CriContext): Promise<number> {
  const containers = await context.engine.containers()
  const sizes = await Promise.all(
    (await containersOf(context, {})).map(({ container }) =>
      containers.size(container.id).then(
        ({ writableBytes: bytes }) => bytes,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}

/** Throws InvalidArgument for none. */
function nameOf(image: Cri.ImageSpec | null): string {
  if (image === null || image.image === "") throw new InvalidArgument("no image is named", { field: "image" })
  return image.image
}

async function listed(context: CriContext, filter: Cri.ImageFilter | null): Promise<Sent<Cri.Image>[]> {
  const images = await context.engine.images()
  const name = filter?.image?.image ?? ""
  const found = name === "" ? images.list() : [images.find(name)].filter((one) => one !== undefined)
  return Promise.all(found.map((image) => shown(context, image)))
}

async function shown({ engine }: CriContext, image: Image): Promise<Sent<Cri.Image>> {
  const { config = {} } = await (await engine.images()).config(image)
  const [user = ""] = (config.User ?? "").split(":")
  const uid = /^\d+$/.test(user) ? user : undefined
  return {
    id: image.id,
    repo_tags: image.tags,
    repo_digests: image.repoDigests,
    size: String(Math.max(1, image.sizeBytes)),
    ...(uid === undefined ? { username: user } : { uid: { value: uid } }),
    spec: { image: image.id },
    pinned: false,
  }
}

/** Credentials hold for the registry that they name alone. Throws InvalidArgument. */
export function accessOf(auth: Cri.AuthConfig | null, name: string): RegistryAccess {
  if (auth === null) return {}
  const [username, password] = auth.auth === "" ? [auth.username, auth.password] : decoded(auth.auth)
  const server = hostOf(auth.server_address)
  const { registry } = parseReference(name)
  if (server !== "" && server !== hostOf(registry)) return {}
  // as Docker's own configuration has them: a token before a password
  if (auth.registry_token !== "") return { credentials: { registryToken: token(auth.registry_token) } }
  if (auth.identity_token !== "") return { credentials: { username, identityToken: token(auth.identity_token) } }
  return username === "" && password === "" ? {} : { credentials: { username, password } }
}

/** One word. Throws InvalidArgument, which does not show it. */
function token(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new InvalidArgument("the token is no word of ASCII letters", { field: "auth" })
}

function decoded(text: string): [string, string] {
  const plain = Buffer.from(text, "base64").toString("utf8")
  const colon = plain.indexOf(":")
  if (colon < 0) throw new InvalidArgument("the credentials are not USER:PASSWORD in base64", { field: "auth.auth" })
  return [plain.slice(0, colon), plain.slice(colon + 1)]
}

/** Docker's registry has several names. */
function hostOf(address: string): string {
  const host =
    address
      .replace(/^https?:\/\//, "")
      .split("/")[0]
      ?.toLowerCase() ?? ""
  return ["index.docker.io", "registry-1.docker.io"].includes(host) ? "docker.io" : host
}
