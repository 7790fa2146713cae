import type { ContainerDetails, ContainerSize } from "../../container/container.ts"
import { containerDocument } from "../../docker/container-document.ts"
import { imageDocument } from "../../docker/image-document.ts"
import { infoDocument, type EngineInfo } from "../../docker/info-document.ts"
import { networkDocument, type NetworkEndpoint } from "../../docker/network-document.ts"
import { volumeDocument, type VolumeUsage } from "../../docker/volume-document.ts"
import { CONTAINER_ZEROS, IMAGE_ZEROS, VOLUME_ZEROS } from "../../docker/zero-fields.ts"
import type { ImageDetails } from "../../image/image.ts"
import type { Network } from "../../network/network.ts"
import { withPodmanKeys } from "../../podman/container-document.ts"
import { withPodmanImageKeys } from "../../podman/image-document.ts"
import { hide, hideInside } from "../../docker/hidden-fields.ts"
import { podmanInfoDocument } from "../../podman/info-document.ts"
import { podmanNetworkDocument } from "../../podman/network-document.ts"
import { podmanVolumeKeys } from "../../podman/volume-document.ts"
import type { VolumeDetails } from "../../volume/volume.ts"

/** What `inspect`, `info` and their like print of an object. */
export interface Documents {
  container(details: ContainerDetails, size: ContainerSize | undefined): object
  image(details: ImageDetails): object
  volume(volume: VolumeDetails, usage?: VolumeUsage): object
  /** `endpoints`: who is on it now. */
  network(network: Network, endpoints: readonly NetworkEndpoint[]): object
  info(info: EngineInfo): object
  /** What `info` prints where no format is asked for; undefined: skiff's own lines. */
  infoText?(info: EngineInfo): string
}

/** Docker's documents; keys that podman alone has are there for templates, and in the JSON too. */
export const DOCUMENTS: Documents = {
  container: (details, size) => hideInside(withPodmanKeys(containerDocument(details, size), details), CONTAINER_ZEROS),
  image: (details) => hideInside(withPodmanImageKeys(imageDocument(details), details), IMAGE_ZEROS),
  volume: (volume, usage) => hide(volumeDocument(volume, usage), { ...VOLUME_ZEROS, ...podmanVolumeKeys(volume) }),
  network: (network, endpoints) =>
    hide(networkDocument(network, endpoints), podmanNetworkDocument(network, endpoints) as Record<string, unknown>),
  info: (info) => hide(infoDocument(info), podmanInfoDocument(info) as Record<string, unknown>),
}
