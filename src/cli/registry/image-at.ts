import type { ImageAt } from "../../image/image.ts"

/** An image at a registry as `skopeo inspect` shows it. */
export function imageAtDocument({ name, top, config, layers }: ImageAt, tags: readonly string[]): object {
  return {
    Name: name,
    Digest: top.descriptor.digest,
    RepoTags: tags,
    Created: config.created ?? null,
    DockerVersion: "",
    Labels: config.config?.Labels ?? null,
    Architecture: config.architecture,
    Os: config.os,
    ...(config.variant !== undefined && { Variant: config.variant }),
    Layers: layers.map(({ digest }) => digest),
    LayersData: layers.map(({ mediaType, digest, size, annotations }) => ({
      MIMEType: mediaType,
      Digest: digest,
      Size: size,
      Annotations: annotations ?? null,
    })),
    Env: config.config?.Env ?? null,
  }
}
