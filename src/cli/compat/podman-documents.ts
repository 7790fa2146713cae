import { containerDocument } from "../../docker/container-document.ts"
import { imageDocument } from "../../docker/image-document.ts"
import { volumeDocument } from "../../docker/volume-document.ts"
import { podmanContainerDocument } from "../../podman/container-document.ts"
import { podmanImageDocument } from "../../podman/image-document.ts"
import { podmanInfoDocument } from "../../podman/info-document.ts"
import { podmanNetworkDocument } from "../../podman/network-document.ts"
import { toYaml } from "../../podman/yaml.ts"
import type { Documents } from "./documents.ts"

/** Podman's documents. */
export const PODMAN_DOCUMENTS: Documents = {
  container: (details, size) => podmanContainerDocument(containerDocument(details, size), details),
  image: (details) => podmanImageDocument(imageDocument(details), details),
  volume: volumeDocument,
  network: podmanNetworkDocument,
  info: podmanInfoDocument,
  infoText: (info) => toYaml(podmanInfoDocument(info)),
}
