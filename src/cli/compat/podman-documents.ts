import { containerDocument } from "../../docker/container-document.ts"
import { imageDocument } from "../../docker/image-document.ts"
import { hide, hideInside } from "../../docker/hidden-fields.ts"
import { CONTAINER_ZEROS, IMAGE_ZEROS, VOLUME_ZEROS } from "../../docker/zero-fields.ts"
import { infoDocument } from "../../docker/info-document.ts"
import { networkDocument } from "../../docker/network-document.ts"
import { volumeDocument } from "../../docker/volume-document.ts"
import { podmanContainerDocument } from "../../podman/container-document.ts"
import { podmanImageDocument } from "../../podman/image-document.ts"
import { podmanInfoDocument } from "../../podman/info-document.ts"
import { podmanNetworkDocument } from "../../podman/network-document.ts"
import { podmanVolumeKeys, shownVolumeKeys } from "../../podman/volume-document.ts"
import { toYaml } from "../../podman/yaml.ts"
import type { Documents } from "./documents.ts"

/** Podman's documents. */
export const PODMAN_DOCUMENTS: Documents = {
  container(details, size) {
    const document = podmanContainerDocument(containerDocument(details, size), details)
    const { Health = null } = document.State as { Health?: unknown }
    return hideInside(document, {
      ...CONTAINER_ZEROS,
      // of old, podman called it so
      State: { ...CONTAINER_ZEROS.State, Healthcheck: Health },
      HostConfig: { ...CONTAINER_ZEROS.HostConfig, AutoRemoveImage: false },
      Config: { ...CONTAINER_ZEROS.Config, StartupHealthCheck: null },
    })
  },
  image: (details) => hideInside(podmanImageDocument(imageDocument(details), details), IMAGE_ZEROS),
  volume(volume, usage) {
    const keys = podmanVolumeKeys(volume)
    const document = { ...volumeDocument(volume, usage), ...shownVolumeKeys(keys), Options: volume.options }
    return hide(document, { ...keys, ...VOLUME_ZEROS })
  },
  network: (network, endpoints) =>
    hide(podmanNetworkDocument(network, endpoints), networkDocument(network, endpoints) as Record<string, unknown>),
  info: (info) => hide(podmanInfoDocument(info), infoDocument(info) as Record<string, unknown>),
  infoText: (info) => toYaml(podmanInfoDocument(info)),
}
